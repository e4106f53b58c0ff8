// A store in Redis or Valkey as a copy reads and writes it (store/copy). While a copy into it is not finished it holds no
// store that a control plane would take.
import type { Timers } from "../../../app/ports/log-ports.js";
import type { Random } from "../../../app/ports/ports.js";
import { UnfitFile } from "../../../files/regular-file.js";
import { stateWithoutMark } from "../../copy/store-image.js";
import type { CopyMark, ImageKind, ImagePage, ImageRows, StoreImage, TargetState } from "../../copy/store-image.js";
import type { RedisAddress } from "../../store-address.js";
import type { Connected } from "../connection/client.js";
import { connectLife } from "../connection/life.js";
import type { Life } from "../connection/life.js";
import { newLogId } from "../../log-id.js";
import { REDIS_SCHEMA } from "../connection/store-name.js";
import { FLEET_TIME } from "../scripts.js";
import { KEYS } from "../keys.js";
import { strings } from "../reading/reads.js";
import { BEGIN_COPY, FINISH_COPY, PUT_COPIED } from "./copy-scripts.js";
import { operationArguments } from "../writing/commits.js";
import { copiedOperations } from "./copied-rows.js";
import { COUNTS, PAGES } from "./image-pages.js";

/** A control plane beats each few seconds. */
const ALIVE_MS = 15_000;

interface ImageParts {
  readonly address: RedisAddress;
  readonly random: Random;
  readonly timers: Timers;
}

/** Rejects where there is no store of this version, or a control plane works with it and `isStopped` does not say otherwise. */
export async function openRedisSource(parts: ImageParts, isStopped: boolean): Promise<RedisImage> {
  const image = await opened(parts);
  return image.when(async () => {
    const [schema] = await image.meta("schema");
    if (schema === "") throw new UnfitFile(`there is no store at ${parts.address.shown}`);
    if (schema !== String(REDIS_SCHEMA))
      throw new UnfitFile(`the store has schema ${schema}, this program reads ${REDIS_SCHEMA}`);
    if (!isStopped) await image.requireNobody();
  });
}

/** Rejects where a control plane works with it. */
export async function openRedisTarget(parts: ImageParts): Promise<RedisImage> {
  const image = await opened(parts);
  return image.when(() => image.requireNobody());
}

async function opened({ address, random, timers }: ImageParts): Promise<RedisImage> {
  const life = await connectLife({ address, timers, ended: () => undefined, woken: () => undefined }, 0);
  return new RedisImage(life, random);
}

export class RedisImage implements StoreImage {
  private readonly reads: Connected;

  constructor(
    private readonly life: Life,
    private readonly random: Random,
  ) {
    this.reads = life.reads;
  }

  /** Itself once that has resolved; closed where it rejects. */
  async when(fits: () => Promise<void>): Promise<this> {
    try {
      await fits();
      return this;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Empty text for what is not there. */
  async meta(...fields: readonly string[]): Promise<readonly string[]> {
    const values = await this.reads.send(["HMGET", KEYS.meta, ...fields]);
    return (values as readonly (string | null)[]).map((value) => value ?? "");
  }

  async requireNobody(): Promise<void> {
    const [seconds] = strings(await this.reads.send(["TIME"]));
    const beats = strings(await this.reads.send(["HVALS", KEYS.beats])).map((beat) => beat.split(" "));
    const alive = beats.filter(([atMs, ended]) => ended !== "1" && Number(seconds) * 1000 - Number(atMs) < ALIVE_MS);
    if (alive.length === 0) return;
    const them = alive.length === 1 ? "a control plane works" : `${alive.length} control planes work`;
    throw new UnfitFile(`${them} with the store, or did until a moment ago: stop them, and wait ${ALIVE_MS / 1000} s`);
  }

  async fingerprint(): Promise<string> {
    // The fleet clock is raised without a commit.
    return (await this.meta("store", "commits", FLEET_TIME)).join("/");
  }

  async count(kind: ImageKind): Promise<number> {
    return Number(await this.reads.send(COUNTS[kind]));
  }

  pages<Kind extends ImageKind>(kind: Kind, after: string | undefined, limit: number): Promise<ImagePage<Kind>> {
    return PAGES[kind](this.reads, after, limit);
  }

  async state(): Promise<TargetState> {
    const mark = (await this.reads.send(["GET", KEYS.copy])) as string | null;
    if (mark !== null) return { is: "begun", mark: JSON.parse(mark) as CopyMark };
    return stateWithoutMark(this);
  }

  async begin(mark: CopyMark): Promise<void> {
    await this.life.writes.run(BEGIN_COPY, KEYS.copy, [JSON.stringify(mark)]);
  }

  async put<Kind extends ImageKind>(kind: Kind, rows: readonly ImageRows[Kind][], mark: CopyMark): Promise<void> {
    const args = operationArguments(copiedOperations(kind, rows));
    await this.life.writes.run(PUT_COPIED, KEYS.copy, [JSON.stringify(mark), ...args]);
  }

  async finish(): Promise<void> {
    const names = [newLogId(this.random), newLogId(this.random)];
    await this.life.writes.run(FINISH_COPY, KEYS.copy, [String(REDIS_SCHEMA), ...names]);
  }

  close(): Promise<void> {
    this.life.end();
    return Promise.resolve();
  }
}
