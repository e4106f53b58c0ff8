// Asks for tokens of fleet budgets, read strictly: what an edge may spend is never guessed.
import {
  MAX_LIMITS_OF_PLAN,
  MAX_NAME_CHARS,
  MAX_TOKENS,
  MICROTOKENS_PER_TOKEN,
} from "../../../../assembly/contract.js";
import type { AskOfCall, LeaseWish } from "../../app/edges/lease-tokens.js";
import { OWN_BUCKET } from "../../domain/leases/fleet-budget.js";
import type { Amounts } from "../../domain/leases/fleet-budget.js";
import { UUID_V7 } from "../schemas.js";

const SESSION_ID = new RegExp(UUID_V7);
const LIMIT_NAME = new RegExp(`^[a-z0-9-]{1,${MAX_NAME_CHARS}}$`);
/** A table's number of an ask is a u32. */
const MAX_ASK = 0xffff_ffff;
/** The largest bucket, and the largest debt. What is beyond it means no more. */
const MAX_MICRO = MAX_TOKENS * MICROTOKENS_PER_TOKEN;
const NONE: Amounts = {};

export interface AsksReading {
  readonly asks: readonly AskOfCall[];
  /** Of each ask that is none its session's id, where that much can be read. */
  readonly malformed: readonly (string | undefined)[];
}

export function readLeaseAsks(values: readonly unknown[]): AsksReading {
  const asks: AskOfCall[] = [];
  const malformed: (string | undefined)[] = [];
  for (const value of values) {
    const said: Readonly<Record<string, unknown>> = isObject(value) ? value : {};
    const sessionId = typeof said.session === "string" && SESSION_ID.test(said.session) ? said.session : undefined;
    const one = sessionId === undefined ? undefined : askOf(sessionId, said);
    if (one === undefined) malformed.push(sessionId);
    else asks.push(one);
  }
  return { asks, malformed };
}

function askOf(sessionId: string, said: Readonly<Record<string, unknown>>): AskOfCall | undefined {
  const { ask, applied } = said;
  if (!isNumber(ask) || ask < 1 || !isNumber(applied) || applied >= ask) return undefined;
  const left = amountsOf(said.left, -MAX_MICRO);
  const back = amountsOf(said.back, 0);
  const settled = amountsOf(said.settled, 0);
  const wish = wishOf(said);
  if (left === undefined || back === undefined || settled === undefined || wish === undefined) return undefined;
  return { sessionId, ask, applied, left, back, settled, ...wish };
}

/** What an acquire says of the lease that it wants; undefined where it says nothing that can be read. */
export function readLeaseWish(value: unknown): LeaseWish | undefined {
  const wish = isObject(value) ? wishOf(value) : undefined;
  if (wish === undefined || !isObject(value) || value.at === undefined) return wish;
  const { at } = value;
  return Number.isSafeInteger(at) && (at as number) >= 0 ? { ...wish, at: at as number } : undefined;
}

function wishOf({ cost, want }: Readonly<Record<string, unknown>>): LeaseWish | undefined {
  const [costs, wants] = [amountsOf(cost, 0), amountsOf(want, 0)];
  return costs === undefined || wants === undefined ? undefined : { cost: costs, want: wants };
}

/** Microtokens by bucket, whole numbers. Left out: there are none. */
function amountsOf(value: unknown, least: number): Amounts | undefined {
  if (value === undefined) return NONE;
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > MAX_LIMITS_OF_PLAN + 1) return undefined;
  const amounts: [string, number][] = [];
  for (const [name, micro] of entries) {
    if (name !== OWN_BUCKET && !LIMIT_NAME.test(name)) return undefined;
    if (!Number.isSafeInteger(micro) || (micro as number) < least) return undefined;
    amounts.push([name, Math.min(micro as number, MAX_MICRO)]);
  }
  return Object.fromEntries(amounts);
}

const isNumber = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_ASK;
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
