// Reads the session table in shared data, as contract.ts lays it out, so that tests can look at records.
import {
  FLAG_BUDGET_SPENT,
  FLAG_PROVISIONAL,
  FLAG_REFRESH,
  FLAG_UNCONFIRMED,
  PICO_PER_TOKEN,
  RECORD_ACKED_REV_AT,
  RECORD_BYTES,
  RECORD_CONSUMED_AT,
  RECORD_EMPTY,
  RECORD_ENDS_AT_AT,
  RECORD_FLAGS_AT,
  RECORD_LEVEL_AT,
  RECORD_LIVE,
  RECORD_PLAN_ID_AT,
  RECORD_REFILLED_AT_AT,
  RECORD_REV_AT,
  RECORD_STATE_AT,
  RECORD_TOKEN_AT,
  SESSION_ID_BYTES,
  SET_BYTES,
  TOKEN_BYTES,
  TOKEN_SESSION_ID_AT,
} from "../../../../assembly/contract.js";
import type { SharedData } from "../host/shared-data.js";

export interface TableRecord {
  /** The session's public id, in the form of RFC 9562. */
  readonly id: string;
  readonly token: string;
  readonly rev: number;
  readonly ackedRev: number;
  readonly levelPico: bigint;
  /** Whole tokens, rounded down. */
  readonly levelTokens: number;
  readonly refilledAtUs: bigint;
  readonly consumed: number;
  readonly endsAtS: number;
  readonly planId: number;
  readonly live: boolean;
  readonly provisional: boolean;
  readonly refresh: boolean;
  readonly budgetSpent: boolean;
  readonly unconfirmed: boolean;
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

  /** All records that are not empty. */
  records(): TableRecord[] {
    return this.setKeys().flatMap((key) => this.#recordsOf(key).map(readRecord));
  }

  /** The record of a session, live or ended; undefined if the table has none. More than one breaks the table. */
  record(sessionId: string): TableRecord | undefined {
    const found = this.setKeys().flatMap((key) =>
      this.#recordsOf(key).filter((record) => idOf(record) === sessionId.replaceAll("-", "")),
    );
    if (found.length > 1) throw new Error(`${found.length} records of session ${sessionId}`);
    return found[0] === undefined ? undefined : readRecord(found[0]);
  }

  /** Changes a byte-sized field of a session's record where it lies, as a later part of the filter would. */
  patch(sessionId: string, change: (record: Buffer) => void): void {
    for (const key of this.setKeys()) {
      const set = Buffer.from(this.sharedData.get(key)?.value ?? []);
      for (let at = 0; at < set.length; at += RECORD_BYTES) {
        const record = set.subarray(at, at + RECORD_BYTES);
        if (record[RECORD_STATE_AT] !== RECORD_EMPTY && idOf(record) === sessionId.replaceAll("-", "")) change(record);
      }
      this.sharedData.set(key, set, 0);
    }
  }

  /** Fills the empty slots of each set with live records of sessions that nobody has, dirty, so that none may go. */
  fillEmptySlots(): void {
    for (const key of this.setKeys()) {
      const set = Buffer.from(this.sharedData.get(key)?.value ?? []);
      for (let at = 0; at < set.length; at += RECORD_BYTES) {
        const record = set.subarray(at, at + RECORD_BYTES);
        if (record[RECORD_STATE_AT] !== RECORD_EMPTY) continue;
        record.fill(at / RECORD_BYTES + 1, RECORD_TOKEN_AT, RECORD_TOKEN_AT + TOKEN_BYTES);
        record.writeUInt32LE(1, RECORD_REV_AT);
        record.writeUInt32LE(0xffffffff, RECORD_ENDS_AT_AT);
        record.writeUInt8(RECORD_LIVE, RECORD_STATE_AT);
      }
      this.sharedData.set(key, set, 0);
    }
  }

  #recordsOf(key: string): Buffer[] {
    const set = Buffer.from(this.sharedData.get(key)?.value ?? []);
    const records = Array.from({ length: set.length / RECORD_BYTES }, (_, slot) =>
      set.subarray(slot * RECORD_BYTES, (slot + 1) * RECORD_BYTES),
    );
    return records.filter((record) => record[RECORD_STATE_AT] !== RECORD_EMPTY);
  }
}

function idOf(record: Buffer): string {
  const from = RECORD_TOKEN_AT + TOKEN_SESSION_ID_AT;
  return record.toString("hex", from, from + SESSION_ID_BYTES);
}

/** Reads one record of a set's bytes. */
export function readRecord(record: Buffer): TableRecord {
  const flags = record.readUInt8(RECORD_FLAGS_AT);
  const levelPico = record.readBigInt64LE(RECORD_LEVEL_AT);
  return {
    id: idOf(record).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
    token: record.toString("base64url", RECORD_TOKEN_AT, RECORD_TOKEN_AT + TOKEN_BYTES),
    rev: record.readUInt32LE(RECORD_REV_AT),
    ackedRev: record.readUInt32LE(RECORD_ACKED_REV_AT),
    levelPico,
    levelTokens: Number(levelPico / BigInt(PICO_PER_TOKEN)),
    refilledAtUs: record.readBigUInt64LE(RECORD_REFILLED_AT_AT),
    consumed: Number(record.readBigUInt64LE(RECORD_CONSUMED_AT)),
    endsAtS: record.readUInt32LE(RECORD_ENDS_AT_AT),
    planId: record.readUInt16LE(RECORD_PLAN_ID_AT),
    live: record.readUInt8(RECORD_STATE_AT) === RECORD_LIVE,
    provisional: (flags & FLAG_PROVISIONAL) !== 0,
    refresh: (flags & FLAG_REFRESH) !== 0,
    budgetSpent: (flags & FLAG_BUDGET_SPENT) !== 0,
    unconfirmed: (flags & FLAG_UNCONFIRMED) !== 0,
  };
}
