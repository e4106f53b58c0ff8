// Every write of the store: one script, on condition that what was decided on still stands; acknowledged once it is durable.
import { StoreUnwritable } from "../../../app/ports/store-health.js";
import type { StoreHealth } from "../../../app/ports/store-health.js";
import type { LogPosition } from "../../../domain/stored.js";
import type { Link, Linked } from "../connection/link.js";
import { failureOf, isOfFullness, saidPlainly } from "../connection/reply-errors.js";
import { forStore } from "../connection/store-name.js";
import { KEYS } from "../keys.js";
import { COMMIT, COMMIT_ALSO_FULL } from "../scripts.js";
import type { Script } from "../scripts.js";
import type { Reply } from "../connection/client.js";
import { Acknowledged } from "./acknowledged.js";
import { Replicas } from "./replicas.js";
import { touchedKeys } from "./touched-keys.js";

/** Kind, key, field and what must be found there. */
export type Check = readonly [kind: "v" | "field" | "count", key: string, field: string, expected: string];
/** A command of the server, or LOG or AUDIT as the script has them. */
export type Operation = readonly string[];
/** Whether a server that is full is asked for it as well: for what makes room, or ends sessions. */
export type WhenFull = "refused" | "taken";

export interface CommitsParts {
  readonly link: Link;
  /** How many replicas must have a write. */
  readonly replicas: number;
  /** Of each reply, before whoever waits for it learns of it. */
  readonly noteHead: (head: LogPosition) => void;
  /** Why the server may not be written to, though it would take writes. */
  readonly refusal: () => string | undefined;
}

export class Commits implements StoreHealth {
  private failure: { readonly why: string; readonly isOfFullness: boolean } | undefined;
  private isProbing = false;
  private readonly replicas: Replicas;
  private readonly acknowledged = new Acknowledged();

  constructor(private readonly parts: CommitsParts) {
    this.replicas = new Replicas(parts.replicas);
  }

  /** False, and nothing is written, where a check fails. Durable when it resolves with true. Rejects with StoreUnwritable. */
  async run(
    checks: readonly Check[],
    operations: readonly Operation[],
    whenFull: WhenFull = "refused",
  ): Promise<boolean> {
    this.requireWritable(whenFull);
    return this.commit(checks, operations, whenFull);
  }

  /** Resolves once replicas have all that anybody has written by now. Rejects with StoreUnwritable. */
  async confirmed(): Promise<void> {
    // The server waits for what this connection has written, so it writes, too.
    if (this.parts.replicas > 0) await this.run([], [], "taken");
  }

  /** A script of its own, which is no commit, and which a full server takes. Rejects as above. */
  script(script: Script, key: string, args: readonly string[]): Promise<Reply> {
    return this.answered(({ life }) => life.writes.run(script, key, args));
  }

  /** The same with what says which store it is for. @param keys what it writes to beside `meta` */
  guarded(script: Script, args: readonly string[], keys: readonly string[]): Promise<Reply> {
    return this.answered(({ life, store }) => life.writes.run(script, KEYS.meta, forStore(store, args), keys));
  }

  unwritable(): string | undefined {
    return this.hindrance("refused");
  }

  look(): "on" {
    void this.probe();
    return "on";
  }

  isAtDisk(): boolean {
    return false;
  }

  /** Of each link that can be used for writes: how many commits that this process has acknowledged it does not have. */
  begun(now: Linked): number {
    void this.probe();
    return this.acknowledged.lostIn(now);
  }

  private hindrance(whenFull: WhenFull): string | undefined {
    const { link, refusal } = this.parts;
    const isTaken = whenFull === "taken" && this.failure?.isOfFullness === true;
    return link.reason() ?? refusal() ?? link.notBegun() ?? (isTaken ? undefined : this.failure?.why);
  }

  private requireWritable(whenFull: WhenFull): void {
    const why = this.hindrance(whenFull);
    if (why !== undefined) throw new StoreUnwritable(why);
  }

  private async answered(ask: (linked: Linked) => Promise<Reply>): Promise<Reply> {
    this.requireWritable("taken");
    const linked = this.parts.link.getBegun();
    try {
      return await ask(linked);
    } catch (error) {
      throw this.failed(linked, error);
    }
  }

  private async commit(
    checks: readonly Check[],
    operations: readonly Operation[],
    whenFull: WhenFull,
  ): Promise<boolean> {
    const linked = this.parts.link.getBegun();
    try {
      const args = [String(checks.length), ...checks.flat(), ...operationArguments(operations)];
      const script = whenFull === "taken" ? COMMIT_ALSO_FULL : COMMIT;
      const keys = touchedKeys(checks, operations);
      const reply = await linked.life.writes.run(script, KEYS.meta, forStore(linked.store, args), keys);
      const [done, log, cursor, number] = reply as readonly Reply[];
      if (done !== 1) return false;
      await this.replicas.have(linked.life);
      this.parts.noteHead({ log: String(log), cursor: Number(cursor) });
      this.acknowledged.note(String(log), Number(number));
      // What a full server takes does not say that it has room again.
      if (whenFull === "refused" || this.failure?.isOfFullness !== true) this.failure = undefined;
      return true;
    } catch (error) {
      throw this.failed(linked, error);
    }
  }

  /** Where the last write failed, one without anything: the server turns it away for what it would turn any other away for. */
  private async probe(): Promise<void> {
    if (this.failure === undefined || this.isProbing) return;
    this.isProbing = true;
    await this.commit([], [], "refused").catch(() => undefined);
    this.isProbing = false;
  }

  private failed({ life }: Linked, error: unknown): unknown {
    const why = saidPlainly(error);
    switch (failureOf(error)) {
      case "fault":
        return error;
      case "elsewhere":
        this.parts.link.over(life, why);
        break;
      case "unwritable":
        this.failure = { why, isOfFullness: isOfFullness(error) };
        break;
      case "away":
    }
    return new StoreUnwritable(why);
  }
}

/** How many there are, and each with the number of its arguments, as scripts take them. */
export const operationArguments = (operations: readonly Operation[]): string[] => [
  String(operations.length),
  ...operations.flatMap((operation) => [String(operation.length), ...operation]),
];
