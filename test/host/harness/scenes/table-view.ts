// Reads the session table in shared data, as contract.ts lays it out, so that tests can look at records.
import {
  ANNEX_ASK_AT,
  ANNEX_LEASE_END_AT,
  ANNEX_LEVELS_AT,
  ANNEX_PENDING_AT,
  ANNEX_RECORD_AT,
  ANNEX_REMAINDERS_AT,
  ANNEX_TAG_AT,
  FLAG_BUDGET_SPENT,
  FLAG_LIMITS_UNCONFIRMED,
  FLAG_PROVISIONAL,
  FLAG_REFRESH,
  FLAG_UNCONFIRMED,
  MAX_LIMITS_OF_PLAN,
  PICO_PER_TOKEN,
  RECORD_ACKED_REV_AT,
  RECORD_ANNEX,
  RECORD_ANNEX_AT,
  RECORD_BYTES,
  RECORD_CONSUMED_AT,
  RECORD_EMPTY,
  RECORD_ENDED,
  RECORD_ENDS_AT_AT,
  RECORD_FLAGS_AT,
  RECORD_LEVEL_AT,
  RECORD_LIVE,
  RECORD_PLAN_ID_AT,
  RECORD_REFILLED_AT_AT,
  RECORD_REMAINDER_AT,
  RECORD_REV_AT,
  RECORD_STATE_AT,
  RECORD_TOKEN_AT,
  SESSION_ID_BYTES,
  SET_BYTES,
  TOKEN_BYTES,
  TOKEN_SESSION_ID_AT,
} from "../../../../assembly/contract.js";
import type { SharedData } from "../host/shared-data.js";

/** The further levels of a record: those of its plan's limits come first, in the order of their names. */
export interface TableAnnex {
  /** 8 hex digits. */
  readonly tag: string;
  readonly levelsPico: readonly bigint[];
  /** Whole tokens, rounded down. */
  readonly levelsTokens: readonly number[];
  readonly remainders: readonly number[];
  /** Of scope fleet: the last ask, how many are pending, and when the lease ends, ms. */
  readonly ask: number;
  readonly pending: number;
  readonly leaseEndMs: number;
}

export interface TableRecord {
  /** The session's public id, in the form of RFC 9562. */
  readonly id: string;
  readonly token: string;
  readonly rev: number;
  readonly ackedRev: number;
  readonly levelPico: bigint;
  /** Whole tokens, rounded down. */
  readonly levelTokens: number;
  /** What the level has left over of a picotoken. */
  readonly remainder: number;
  readonly refilledAtUs: bigint;
  readonly consumed: number;
  readonly endsAtS: number;
  readonly planId: number;
  readonly live: boolean;
  readonly provisional: boolean;
  readonly refresh: boolean;
  readonly budgetSpent: boolean;
  readonly unconfirmed: boolean;
  /** Its annex was made without the control plane. */
  readonly limitsUnconfirmed: boolean;
  /** Undefined where it has none. */
  readonly annex: TableAnnex | undefined;
}

export class TableView {
  constructor(readonly sharedData: SharedData) {}

  /** The keys of all sets, created in this order. */
  setKeys(): string[] {
    return this.sharedData.keys().filter((key) => this.isSetKey(key));
  }

  isSetKey(key: string): boolean {
    return key.startsWith("slc") && this.sharedData.get(key)?.value.length === SET_BYTES;
  }

  /** All records, live and ended. */
  records(): TableRecord[] {
    return this.setKeys().flatMap((key) => {
      const set = this.#setOf(key);
      return recordsOf(set).map((record) => readRecord(record, set));
    });
  }

  /** How many annexes there are, be they of a record or of none. */
  annexes(): number {
    return this.setKeys().flatMap((key) => slotsOf(this.#setOf(key)).filter((slot) => stateOf(slot) === RECORD_ANNEX))
      .length;
  }

  /** The record of a session, live or ended; undefined if the table has none. More than one breaks the table. */
  record(sessionId: string): TableRecord | undefined {
    const id = sessionId.replaceAll("-", "");
    const bytes = Buffer.from(id, "hex");
    // Most sets are passed over without a look at their records.
    const sets = this.setKeys().map((key) => this.#setOf(key));
    const found = sets
      .filter((set) => set.includes(bytes))
      .flatMap((set) =>
        recordsOf(set)
          .filter((record) => idOf(record) === id)
          .map((record) => readRecord(record, set)),
      );
    if (found.length > 1) throw new Error(`${found.length} records of session ${sessionId}`);
    return found[0];
  }

  /** Changes a byte-sized field of a session's record where it lies, as a later part of the filter would. */
  patch(sessionId: string, change: (record: Buffer) => void): void {
    for (const key of this.setKeys()) {
      const set = this.#setOf(key);
      for (const record of recordsOf(set)) if (idOf(record) === sessionId.replaceAll("-", "")) change(record);
      this.sharedData.set(key, set, 0);
    }
  }

  /** Empties a session's slot, and its annex's, as a session does that needs room. */
  evict(sessionId: string): void {
    for (const key of this.setKeys()) {
      const set = this.#setOf(key);
      const record = recordsOf(set).find((each) => idOf(each) === sessionId.replaceAll("-", ""));
      if (record === undefined) continue;
      slotsOf(set)[record.readUInt8(RECORD_ANNEX_AT) - 1]?.fill(0);
      record.fill(0);
      this.sharedData.set(key, set, 0);
    }
  }

  /** Fills the empty slots of each set with live records of sessions that nobody has, dirty, so that none may go. */
  fillEmptySlots(): void {
    for (const key of this.setKeys()) {
      const set = this.#setOf(key);
      for (const [slot, record] of slotsOf(set).entries()) {
        if (stateOf(record) !== RECORD_EMPTY) continue;
        record.fill(slot + 1, RECORD_TOKEN_AT, RECORD_TOKEN_AT + TOKEN_BYTES);
        record.writeUInt32LE(1, RECORD_REV_AT);
        record.writeUInt32LE(0xffffffff, RECORD_ENDS_AT_AT);
        record.writeUInt8(RECORD_LIVE, RECORD_STATE_AT);
      }
      this.sharedData.set(key, set, 0);
    }
  }

  /** A copy. */
  #setOf(key: string): Buffer {
    return Buffer.from(this.sharedData.get(key)?.value ?? []);
  }
}

function slotsOf(set: Buffer): Buffer[] {
  const slots = set.length / RECORD_BYTES;
  return Array.from({ length: slots }, (_, slot) => set.subarray(slot * RECORD_BYTES, (slot + 1) * RECORD_BYTES));
}

function recordsOf(set: Buffer): Buffer[] {
  return slotsOf(set).filter((slot) => stateOf(slot) === RECORD_LIVE || stateOf(slot) === RECORD_ENDED);
}

function stateOf(slot: Buffer): number {
  return slot.readUInt8(RECORD_STATE_AT);
}

/** A record that names an annex which does not name it breaks the table. */
function annexIn(set: Buffer, record: Buffer): TableAnnex | undefined {
  const number = record.readUInt8(RECORD_ANNEX_AT);
  if (number === 0) return undefined;
  const annex = slotsOf(set)[number - 1];
  const slot = (record.byteOffset - set.byteOffset) / RECORD_BYTES;
  if (annex === undefined || stateOf(annex) !== RECORD_ANNEX || annex.readUInt8(ANNEX_RECORD_AT) !== slot) {
    throw new Error(`the record of ${idOf(record)} has an annex that is not its own`);
  }
  const limits = Array.from({ length: MAX_LIMITS_OF_PLAN }, (_, limit) => limit);
  const levelsPico = limits.map((limit) => annex.readBigInt64LE(ANNEX_LEVELS_AT + limit * 8));
  return {
    tag: annex.toString("hex", ANNEX_TAG_AT, ANNEX_TAG_AT + 4),
    levelsPico,
    levelsTokens: levelsPico.map((pico) => Number(pico / BigInt(PICO_PER_TOKEN))),
    remainders: limits.map((limit) => annex.readUInt16LE(ANNEX_REMAINDERS_AT + limit * 2)),
    ask: annex.readUInt32LE(ANNEX_ASK_AT),
    pending: annex.readUInt8(ANNEX_PENDING_AT),
    leaseEndMs: annex.readUInt32LE(ANNEX_LEASE_END_AT),
  };
}

function idOf(record: Buffer): string {
  const from = RECORD_TOKEN_AT + TOKEN_SESSION_ID_AT;
  return record.toString("hex", from, from + SESSION_ID_BYTES);
}

/** Reads one record of a set's bytes. */
export function readRecord(record: Buffer, set: Buffer): TableRecord {
  const flags = record.readUInt8(RECORD_FLAGS_AT);
  const levelPico = record.readBigInt64LE(RECORD_LEVEL_AT);
  return {
    id: idOf(record).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
    token: record.toString("base64url", RECORD_TOKEN_AT, RECORD_TOKEN_AT + TOKEN_BYTES),
    rev: record.readUInt32LE(RECORD_REV_AT),
    ackedRev: record.readUInt32LE(RECORD_ACKED_REV_AT),
    levelPico,
    levelTokens: Number(levelPico / BigInt(PICO_PER_TOKEN)),
    remainder: record.readUInt16LE(RECORD_REMAINDER_AT),
    refilledAtUs: record.readBigUInt64LE(RECORD_REFILLED_AT_AT),
    consumed: Number(record.readBigUInt64LE(RECORD_CONSUMED_AT)),
    endsAtS: record.readUInt32LE(RECORD_ENDS_AT_AT),
    planId: record.readUInt16LE(RECORD_PLAN_ID_AT),
    live: record.readUInt8(RECORD_STATE_AT) === RECORD_LIVE,
    provisional: (flags & FLAG_PROVISIONAL) !== 0,
    refresh: (flags & FLAG_REFRESH) !== 0,
    budgetSpent: (flags & FLAG_BUDGET_SPENT) !== 0,
    unconfirmed: (flags & FLAG_UNCONFIRMED) !== 0,
    limitsUnconfirmed: (flags & FLAG_LIMITS_UNCONFIRMED) !== 0,
    annex: annexIn(set, record),
  };
}
