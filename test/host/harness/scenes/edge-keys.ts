// Reads what an edge keeps beside its table in shared data: its log cursor, which VM leads, and the policy that came on the
// watch (assembly/domain/edge/bell.ts, assembly/filter/policy/policy-bytes.ts).
import { INSTANCE_CHARS } from "../../../../assembly/contract.js";
import type { SharedData } from "../host/shared-data.js";

/** The last four bytes of the key; above every set's number. */
const LOG_CURSOR_KEY = 0xfffffffd;
const LEADER_KEY = 0xfffffffc;
const INSTANCE_KEY = 0xfffffffe;
const POLICY_KEY = 0xfffffffb;
const BELL_KEY = 0xfffffffa;
/** Name and flags. */
export const INSTANCE_BYTES = 20;

export interface LogCursor {
  /** The log by which the table is marked, up to `cursor`. */
  readonly log: string;
  readonly cursor: number;
  /** The log that answers are compared with, and the highest cursor in it that an answer has named. */
  readonly seenLog: string;
  readonly seen: number;
}

export interface Lease {
  readonly holder: bigint;
  readonly untilUs: bigint;
}

/** Which policy came last. */
export interface Bell {
  readonly log: string;
  readonly generation: number;
  readonly hash: string;
  /** The results of the builds of the filter, by build. */
  readonly results: Readonly<Record<string, string>>;
}

/** The policy that stands in shared data, with the name that it has there. */
export interface PolicyBytes {
  readonly log: string;
  readonly generation: number;
  readonly hash: string;
  readonly text: string;
}

const RESULTS_AT = 32;
const RESULT_BYTES = 24;
const RESULT_WORDS = ["none", "trying", "ok", "rejected", "trapped"];
const POLICY_NAME_BYTES = 24;

/** Undefined before the first policy. */
export function bellOf(sharedData: SharedData): Bell | undefined {
  const value = valueAt(sharedData, BELL_KEY);
  if (value === undefined) return undefined;
  const results: Record<string, string> = {};
  for (let at = RESULTS_AT; at < value.length; at += RESULT_BYTES) {
    const state = value.readUInt32LE(at + 16);
    if (state !== 0) results[hexAt(value, at)] = RESULT_WORDS[state] ?? String(state);
  }
  return { log: hexAt(value, 0), generation: Number(value.readBigUInt64LE(8)), hash: hexAt(value, 16), results };
}

/** Undefined before the first policy. */
export function policyBytesOf(sharedData: SharedData): PolicyBytes | undefined {
  const value = valueAt(sharedData, POLICY_KEY);
  if (value === undefined) return undefined;
  const generation = Number(value.readBigUInt64LE(8));
  return { log: hexAt(value, 0), generation, hash: hexAt(value, 16), text: value.toString("utf8", POLICY_NAME_BYTES) };
}

/** Undefined while the edge follows no log yet. */
export function logCursorOf(sharedData: SharedData): LogCursor | undefined {
  const value = valueAt(sharedData, LOG_CURSOR_KEY);
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

export function isLogCursorKey(key: string): boolean {
  return numberOf(key) === LOG_CURSOR_KEY;
}

export function isPolicyKey(key: string): boolean {
  return numberOf(key) === POLICY_KEY;
}

export function isBellKey(key: string): boolean {
  return numberOf(key) === BELL_KEY;
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
