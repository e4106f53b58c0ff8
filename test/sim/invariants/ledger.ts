// What really happened: counts every spend at the moment when it is written into an edge's table, and checks each write
// and each commit against the invariants.
import {
  PICO_PER_TOKEN,
  RECORD_ANNEX_AT,
  RECORD_BYTES,
  RECORD_ENDED,
  RECORD_LIVE,
  RECORD_STATE_AT,
  SET_BYTES,
} from "../../../assembly/contract.js";
import type { Session } from "../../../control-plane/src/domain/session.js";
import type { LogCursor } from "../../host/harness/scenes/edge-keys.js";
import { readRecord, type TableRecord } from "../../host/harness/scenes/table-view.js";
import { expectPairs } from "./annexes.js";
import type { Idleness } from "./idleness.js";
import { LimitLedger, type LimitLedgerParts, type Writer } from "./limit-ledger.js";
import { fail } from "./violation.js";

/** One life of an edge's table. */
export interface Life {
  readonly edge: string;
  /** Undefined until the table has its name. */
  readonly instance: () => string | undefined;
  readonly logCursor: () => LogCursor | undefined;
  /** What the table holds now, by session id. */
  readonly records: Map<string, TableRecord>;
  /** Session id to tokens spent in this life. */
  readonly spent: Map<string, number>;
  /** Sessions whose record has been evicted at some time. */
  readonly gone: Set<string>;
  /** Session id to the log by which the session was denied as revoked. */
  readonly deniedAsRevoked: Map<string, string>;
  /** Sessions that an acquire was answered with as ended. */
  readonly denied: Set<string>;
  /** The sessions of acquires that are just coming back without an answer: no others may be admitted unverified. */
  readonly unanswered: Set<readonly string[]>;
  /** A worker's VM was reloaded, with what it had to report. */
  hasForgotten: boolean;
  /** How often a set was written. */
  writes: number;
}

export interface Limits {
  readonly maxTokens: number;
  /** Tokens per second. */
  readonly refillRate: number;
}

export interface LedgerParts {
  /** The most that any policy of the run gives. */
  readonly limitsOf: (sessionId: string) => Limits;
  /** The least capacity of all policies: a bucket that holds more may be cut down to it. */
  readonly leastTokensOf: (sessionId: string) => number;
  /** Of the simulation, ms. */
  readonly nowMs: () => number;
  /** When it was in the simulation that an edge's clock said so. */
  readonly msOf: (monotonicUs: bigint) => number;
  /** Under `trust` a record that cannot be confirmed stands. */
  readonly trust: boolean;
  readonly idleness: Idleness;
  readonly limits: Omit<LimitLedgerParts, "nowMs">;
}

export class Ledger {
  readonly limits: LimitLedger;

  /** Edge and session to tokens spent in all lives, and to tokens that its bucket may have had more. */
  readonly #spent = new Map<string, number>();
  readonly #allowed = new Map<string, number>();
  /** Log to the numbers of its revocations. */
  readonly #revocations = new Map<string, Map<string, number>>();

  #hasRestored = false;

  constructor(private readonly parts: LedgerParts) {
    this.limits = new LimitLedger({ ...parts.limits, nowMs: parts.nowMs });
  }

  /** A set was written, or created where `before` is undefined. */
  wrote(life: Life, before: Uint8Array | undefined, after: Uint8Array, writer: Writer): void {
    life.writes += 1;
    expectPairs(life.edge, Buffer.from(after.buffer, after.byteOffset, SET_BYTES));
    const old = recordsIn(before, after);
    const fresh = recordsIn(after, before);
    for (const [id, record] of fresh) {
      const was = old.get(id);
      const spends = was !== undefined && isSpend(was, record);
      if (writer.isClosed && spends)
        fail("decided", `${life.edge} ${id}: let in by a policy that lets none of these clients in`);
      this.#check(life, id, was, record);
      this.limits.wrote(life, writer, was, record, spends);
      life.records.set(id, record);
    }
    for (const [id, was] of old) {
      if (fresh.has(id)) continue;
      life.records.delete(id);
      life.gone.add(id);
      this.limits.evicted(life, was);
    }
  }

  spentIn(life: Life, sessionId: string): number {
    return life.spent.get(sessionId) ?? 0;
  }

  /** The bucket of a session at an edge may from now on have had so many tokens more. */
  allow(edge: string, sessionId: string, tokens: number): void {
    const key = edge + sessionId;
    this.#allowed.set(key, (this.#allowed.get(key) ?? 0) + tokens);
  }

  revoked(sessionId: string, log: string, number: number): void {
    this.#revocationsOf(log).set(sessionId, number);
  }

  /** A backup was restored: what it holds counts as said before the new log's beginning, the rest is lost. */
  restored(log: string, sessions: Iterable<Session>): void {
    this.#hasRestored = true;
    this.limits.spends.restored();
    this.began(log, sessions);
  }

  /** The store has another log over what it holds. */
  began(log: string, sessions: Iterable<Session>): void {
    for (const { id, revokedAt } of sessions) if (revokedAt !== null) this.revoked(id, log, 0);
  }

  /** What was spent where cannot be told by what the control plane has. */
  get hasRestored(): boolean {
    return this.#hasRestored;
  }

  revocationIn(log: string, sessionId: string): number | undefined {
    return this.#revocationsOf(log).get(sessionId);
  }

  #check(life: Life, id: string, before: TableRecord | undefined, after: TableRecord): void {
    if (after.ackedRev > after.rev)
      fail("acknowledged", `${life.edge} ${id}: ackedRev ${after.ackedRev} of rev ${after.rev}`);
    if (after.provisional && after.ackedRev > 0)
      fail("acknowledged", `${life.edge} ${id}: provisional and acknowledged`);
    if (before !== undefined && after.live && this.#isEndedForGood(before))
      fail("11", `${life.edge} ${id}: came back to life`);
    if (before?.live === true && !after.live) this.#expectEndKnown(life, id);
    if (before === undefined && after.live && !after.provisional) this.#expectCounted(life, id, after);
    const trusted = after.provisional && before?.provisional !== true;
    if (trusted && ![...life.unanswered].some((sessions) => sessions.includes(id)))
      fail("trusted", `${life.edge} ${id}: admitted unverified, though no acquire of it has failed`);
    if (trusted) this.allow(life.edge, id, this.parts.limitsOf(id).maxTokens);
    const spends = before !== undefined && isSpend(before, after);
    if (spends) this.#spend(life, id, before, after.refilledAtUs);
    if (after.live && before?.live !== true && !after.provisional) this.#expectNotRevoked(life, id, "let in");
    const confirmed = before?.provisional === true && !after.provisional;
    if (before?.live === true && after.live && !confirmed) this.#expectKept(life, id, before, after, spends);
  }

  /** A record ends by an entry of the log by which the table is marked, or by an answer about its session. */
  #expectEndKnown(life: Life, id: string): void {
    const log = life.logCursor()?.log;
    if (life.denied.has(id) || (log !== undefined && this.revocationIn(log, id) !== undefined)) return;
    fail("11", `${life.edge} ${id}: ended, though log ${log ?? "none"} does not say so`);
  }

  /** A session that comes back goes on counting, unless a backup that was restored lacks what it had spent. */
  #expectCounted(life: Life, id: string, { consumed }: TableRecord): void {
    const spent = this.spentIn(life, id);
    if (consumed < spent && !this.#hasRestored)
      fail("consumed", `${life.edge} ${id}: back with ${consumed} of ${spent}`);
  }

  #isEndedForGood({ live, unconfirmed, endsAtS }: TableRecord): boolean {
    return !live && !unconfirmed && this.parts.msOf(BigInt(endsAtS) * 1_000_000n) > this.parts.nowMs();
  }

  #spend(life: Life, id: string, before: TableRecord, atUs: bigint): void {
    const key = life.edge + id;
    const total = (this.#spent.get(key) ?? 0) + 1;
    this.#spent.set(key, total);
    life.spent.set(id, (life.spent.get(id) ?? 0) + 1);
    this.parts.idleness.spent(life, id, this.parts.msOf(atUs), !before.provisional);
    const { maxTokens, refillRate } = this.parts.limitsOf(id);
    const most = maxTokens + (refillRate * this.parts.nowMs()) / 1000 + (this.#allowed.get(key) ?? 0);
    if (total > most) fail("1", `${life.edge} ${id}: ${total} tokens spent of at most ${most}`);
    if (!before.provisional && !(before.unconfirmed && this.parts.trust))
      this.#expectNotRevoked(life, id, "spent from");
  }

  /** A record that stays keeps its tokens and what it has counted. */
  #expectKept(life: Life, id: string, before: TableRecord, after: TableRecord, spends: boolean): void {
    const pico = BigInt(PICO_PER_TOKEN);
    const cut = BigInt(this.parts.leastTokensOf(id)) * pico;
    const least = (before.levelPico < cut ? before.levelPico : cut) - (spends ? pico : 0n);
    if (after.levelPico < least) fail("9", `${life.edge} ${id}: ${before.levelPico} became ${after.levelPico}`);
    if (after.rev < before.rev || after.consumed < before.consumed) {
      fail(
        "9",
        `${life.edge} ${id}: rev ${before.rev} became ${after.rev}, consumed ${before.consumed} ${after.consumed}`,
      );
    }
  }

  /** The edge knows of a revocation when its table is marked up to it, or when an acquire was answered with it. */
  #expectNotRevoked(life: Life, id: string, what: string): void {
    const logCursor = life.logCursor();
    if (logCursor === undefined || logCursor.log !== logCursor.seenLog) return;
    const number = this.revocationIn(logCursor.log, id);
    if (number === undefined || (number > logCursor.cursor && life.deniedAsRevoked.get(id) !== logCursor.log)) return;
    fail("11", `${life.edge} ${id}: ${what} after its revocation was known`);
  }

  #revocationsOf(log: string): Map<string, number> {
    const found = this.#revocations.get(log) ?? new Map<string, number>();
    this.#revocations.set(log, found);
    return found;
  }
}

/** A request was let in by this write: one token, one rev, and nothing else. */
function isSpend(before: TableRecord, after: TableRecord): boolean {
  const one = after.rev === before.rev + 1 && after.consumed === before.consumed + 1;
  return one && before.live && after.live && before.provisional === after.provisional;
}

/** The records of a set that differ from those in the same slots of another, or whose annexes do. */
function recordsIn(set: Uint8Array | undefined, other: Uint8Array | undefined): Map<string, TableRecord> {
  const found = new Map<string, TableRecord>();
  if (set === undefined) return found;
  const bytes = Buffer.from(set.buffer, set.byteOffset, SET_BYTES);
  const isSame = (at: number): boolean =>
    other !== undefined && bytes.compare(other, at, at + RECORD_BYTES, at, at + RECORD_BYTES) === 0;
  for (let at = 0; at < SET_BYTES; at += RECORD_BYTES) {
    const state = bytes[at + RECORD_STATE_AT];
    if (state !== RECORD_LIVE && state !== RECORD_ENDED) continue;
    const annex = bytes[at + RECORD_ANNEX_AT] ?? 0;
    if (isSame(at) && (annex === 0 || isSame((annex - 1) * RECORD_BYTES))) continue;
    const record = readRecord(bytes.subarray(at, at + RECORD_BYTES), bytes);
    found.set(record.id, record);
  }
  return found;
}
