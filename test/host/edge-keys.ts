// Reads what an edge keeps beside its table in shared data: its place in the log of withdrawals, and who leads.
import { INSTANCE_CHARS } from "../../assembly/contract.js";
import type { SharedData } from "./shared-data.js";

/** The last four bytes of the key; above every set's number. */
const PLACE_KEY = 0xfffffffd;
const LEADER_KEY = 0xfffffffc;
const INSTANCE_KEY = 0xfffffffe;
/** Name, start, flags. */
export const INSTANCE_BYTES = 28;

export interface Place {
  /** The log by which the table is marked, up to `cursor`. */
  readonly log: string;
  readonly cursor: number;
  /** The log that answers are compared with, and up to where some worker has heard of it. */
  readonly seenLog: string;
  readonly seen: number;
}

export interface Lease {
  readonly holder: bigint;
  readonly untilUs: bigint;
}

/** Undefined while the edge follows no log yet. */
export function placeOf(sharedData: SharedData): Place | undefined {
  const value = valueAt(sharedData, PLACE_KEY);
  if (value === undefined) return undefined;
  return {
    log: hexAt(value, 0),
    cursor: Number(value.readBigUInt64LE(8)),
    seenLog: hexAt(value, 16),
    seen: Number(value.readBigUInt64LE(24)),
  };
}

export function leaseOf(sharedData: SharedData): Lease | undefined {
  const value = valueAt(sharedData, LEADER_KEY);
  return value && { holder: value.readBigUInt64LE(0), untilUs: value.readBigUInt64LE(8) };
}

/** The name of this life of the table; undefined until its first call. */
export function instanceOf(sharedData: SharedData): string | undefined {
  return valueAt(sharedData, INSTANCE_KEY)?.toString("latin1", 0, INSTANCE_CHARS);
}

export function isPlaceKey(key: string): boolean {
  return numberOf(key) === PLACE_KEY;
}

function numberOf(key: string): number {
  return Buffer.from(key, "latin1").readUInt32LE(8);
}

function hexAt(value: Buffer, at: number): string {
  return value.readBigUInt64LE(at).toString(16).padStart(16, "0");
}

function valueAt(sharedData: SharedData, number: number): Buffer | undefined {
  const key = sharedData.keys().find((candidate) => numberOf(candidate) === number);
  return key === undefined ? undefined : Buffer.from(sharedData.get(key)?.value ?? []);
}
