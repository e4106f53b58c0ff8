// Reads what an edge keeps of the control plane's policy in shared data: its bytes' name, and the bell.
import {
  POLICY_OFFERED,
  POLICY_OK,
  POLICY_REJECTED,
  POLICY_TRAPPED,
  POLICY_TRYING,
} from "../../../assembly/contract.js";

/** The last four bytes of the keys. */
const POLICY_KEY = 0xfffffffb;
const BELL_KEY = 0xfffffffa;
const RESULTS_AT = 32;
const RESULT_BYTES = 24;
const RESULTS = 4;
const STATES = [POLICY_OFFERED, POLICY_TRYING, POLICY_OK, POLICY_REJECTED, POLICY_TRAPPED];

/** Which policy: in which log of the control plane, its number there, and its bytes' hash. */
export interface PolicyName {
  readonly log: string;
  readonly generation: number;
  readonly hash: string;
}

export interface Bell extends PolicyName {
  /** By build id: that build's result for the policy. */
  readonly results: ReadonlyMap<string, string>;
}

export function isPolicyKey(key: string): boolean {
  return numberOf(key) === POLICY_KEY;
}

export function isBellKey(key: string): boolean {
  return numberOf(key) === BELL_KEY;
}

export function nameIn(value: Uint8Array): PolicyName {
  const bytes = Buffer.from(value);
  return { log: hexAt(bytes, 0), generation: Number(bytes.readBigUInt64LE(8)), hash: hexAt(bytes, 16) };
}

export function bellIn(value: Uint8Array): Bell {
  const bytes = Buffer.from(value);
  const results = new Map<string, string>();
  for (let i = 0; i < RESULTS; i++) {
    const at = RESULTS_AT + i * RESULT_BYTES;
    const state = bytes.readUInt32LE(at + 16);
    if (state !== 0) results.set(hexAt(bytes, at), STATES[state] ?? `state ${state}`);
  }
  return { ...nameIn(value), results };
}

function numberOf(key: string): number {
  return Buffer.from(key, "latin1").readUInt32LE(8);
}

function hexAt(value: Buffer, at: number): string {
  return value.readBigUInt64LE(at).toString(16).padStart(16, "0");
}
