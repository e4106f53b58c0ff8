// A primary, its replica and three sentinels that make the replica the primary when the other is gone.
import { isDeepStrictEqual } from "node:util";

import type { ServerProgram } from "../../../../scripts/test/get-store-servers.js";
import { until } from "../../../../test/e2e/harness/until.js";
import type { ServerOptions } from "./server-settings.js";
import { StoreServer } from "./store-server.js";
import { TcpProxy } from "./tcp-proxy.js";

export interface SentinelSetOptions {
  /** Of the primary and the replica alike. */
  readonly server?: ServerOptions;
  /** Of the sentinels: their own user, their TLS. */
  readonly sentinel?: Pick<ServerOptions, "user" | "requirepass" | "tls">;
  /** After which a primary that does not answer is taken for gone. */
  readonly downAfterMs?: number;
}

/** A server of the set, and the network in front of it: whoever speaks with it, sentinels and its replica too, goes through it. */
export interface Member {
  readonly server: StoreServer;
  readonly proxy: TcpProxy;
}

/** Of what a sentinel says of a server. */
type Row = Readonly<Record<string, string>>;

const MASTER = "sluice";
/**
 * How often the time each of the sentinels waits. Two find at once that the primary is gone; the third has no vote to give to
 * itself then, so that one of them wins the election: it would go another round where each had its own.
 */
const PATIENCE = [1, 1, 5];
const SENTINELS = PATIENCE.length;
const QUORUM = 2;
const DOWN_AFTER_MS = 300;
const FAILOVER_TIMEOUT_MS = 1000;
/** By themselves sentinels look each second or each ten: a test would wait for that. */
const SENTINEL_PERIODS = Object.entries({
  // Also: a replica that has said nothing for five of these is not made the primary, and while there is none it is asked each
  // second only.
  "ping-period": 400,
  "ask-period": 50,
  "info-period": 100,
  "publish-period": 100,
  "election-timeout": 500,
}).flatMap(([name, ms]) => [name, String(ms)]);

export class SentinelSet {
  private constructor(
    readonly members: readonly [Member, Member],
    readonly sentinels: readonly StoreServer[],
  ) {}

  /** Resolves once all sentinels know the replica and one another. */
  static async start(program: ServerProgram, options: SentinelSetOptions = {}): Promise<SentinelSet> {
    const { downAfterMs = DOWN_AFTER_MS } = options;
    const first = await memberOf(program, options.server ?? {});
    const second = await memberOf(program, { ...options.server, replicaOf: first.proxy.port });
    const watched = { master: MASTER, primaryPort: first.proxy.port, quorum: QUORUM };
    const sentinels: StoreServer[] = [];
    const set = new SentinelSet([first, second], sentinels);
    try {
      for (const times of PATIENCE) {
        const sentinel = { ...watched, downAfterMs: downAfterMs * times, failoverTimeoutMs: FAILOVER_TIMEOUT_MS };
        const one = await StoreServer.start(program, { ...options.sentinel, sentinel });
        sentinels.push(one);
        await one.command("SENTINEL", "DEBUG", ...SENTINEL_PERIODS);
      }
      await set.complete();
      return set;
    } catch (error) {
      await set.remove();
      throw error;
    }
  }

  /** As `SLUICE_STORE` takes it. */
  get url(): string {
    const [{ server }] = this.members;
    const [scheme, rest = ""] = server.url.split("://");
    const login = rest.includes("@") ? `${rest.split("@")[0] ?? ""}@` : "";
    const hosts = this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
    return `${scheme ?? ""}+sentinel://${login}${hosts}/${MASTER}`;
  }

  /** Who is the primary by what most sentinels say. */
  async primary(): Promise<Member> {
    const ports = await Promise.all(this.sentinels.filter(({ running }) => running).map(primaryPortOf));
    const isNamed = ({ proxy }: Member): boolean =>
      ports.filter((port) => port === String(proxy.port)).length > SENTINELS / 2;
    const named = this.members.find(isNamed);
    if (named === undefined) throw new Error(`the sentinels name ${ports.join(", ")}`);
    return named;
  }

  /** The other one. */
  async replica(): Promise<Member> {
    const primary = await this.primary();
    const [first, second] = this.members;
    return primary === first ? second : first;
  }

  /** The replica follows no more: its connection is cut, and it is not let in again. It may still be made the primary. */
  async cutReplica(): Promise<void> {
    const [primary, replica] = [await this.primary(), await this.replica()];
    await replica.server.command("CONFIG", "SET", "masterauth", "a password that is none");
    await primary.server.command("CLIENT", "KILL", "TYPE", "replica");
  }

  /** Resolves once the sentinels have made another server the primary, and it takes writes. */
  failedOver(from: Member): Promise<Member> {
    return until(async () => {
      const primary = await this.primary();
      if (primary === from) throw new Error("the sentinels still name the same primary");
      if ((await primary.server.info("role")) !== "master") throw new Error("the new primary does not know it yet");
      return primary;
    });
  }

  /** Resolves once the set is as at its start: the other server follows the primary, and every sentinel knows both. */
  async complete(): Promise<void> {
    await until(async () => {
      const { server } = await this.replica();
      if ((await server.info("master_link_status")) !== "up") throw new Error("the replica does not follow");
      for (const sentinel of this.sentinels) await knowsAll(sentinel);
    });
  }

  async remove(): Promise<void> {
    await Promise.all(this.sentinels.map((sentinel) => sentinel.remove()));
    await Promise.all(this.members.flatMap(({ server, proxy }) => [server.remove(), proxy.close()]));
  }
}

async function memberOf(program: ServerProgram, options: ServerOptions): Promise<Member> {
  const proxy = await TcpProxy.listen();
  // By which the primary and the sentinels know it.
  const announced = { "replica-announce-ip": "127.0.0.1", "replica-announce-port": String(proxy.port) };
  const server = await StoreServer.start(program, { ...options, settings: { ...options.settings, ...announced } });
  proxy.to(server.port);
  return { server, proxy };
}

async function primaryPortOf(sentinel: StoreServer): Promise<string> {
  const said = await sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER);
  const port = Array.isArray(said) ? said[1] : undefined;
  return typeof port === "string" ? port : "nobody";
}

/** Rejects with what it does not know yet. */
async function knowsAll(sentinel: StoreServer): Promise<void> {
  const master = (await sentinel.command("SENTINEL", "MASTER", MASTER)) as Row;
  const replicas = (await sentinel.command("SENTINEL", "REPLICAS", MASTER)) as readonly Row[];
  const known = {
    primary: master.flags,
    sentinels: Number(master["num-other-sentinels"]) + 1,
    replicas: replicas.map((row) => [row.flags, row["master-link-status"]].join(" ")),
  };
  const wanted = { primary: "master", sentinels: SENTINELS, replicas: ["slave ok"] };
  if (!isDeepStrictEqual(known, wanted)) throw new Error(`a sentinel knows ${JSON.stringify(known)}`);
}
