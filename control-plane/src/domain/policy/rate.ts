// How a bucket fills, as exact numbers.
import { MICROTOKENS_PER_TOKEN } from "../../../../assembly/contract.js";
import type { Rate } from "./policy.js";

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `10000/1d`, as the validator writes it. */
const REFILL = /^(\d+)\/(\d+)([smhd])$/;

/** Microtokens in a number of seconds: whole numbers both, so nothing is rounded. */
export interface ExactRate {
  readonly micro: number;
  readonly seconds: number;
}

export function exactRate({ tokenRefillRate, refill }: Rate): ExactRate {
  if (refill === null) return { micro: Math.round((tokenRefillRate ?? 0) * MICROTOKENS_PER_TOKEN), seconds: 1 };
  const [, tokens, units, unit = ""] = REFILL.exec(refill) ?? [];
  const seconds = Number(units) * (SECONDS_OF[unit] ?? Number.NaN);
  if (Number.isNaN(seconds)) throw new Error(`"${refill}" is no refill that a validated policy has`);
  return { micro: Number(tokens) * MICROTOKENS_PER_TOKEN, seconds };
}

/** For people: rounded where it does not come out even. */
export function tokensPerSecond(rate: Rate): number {
  const { micro, seconds } = exactRate(rate);
  return micro / seconds / MICROTOKENS_PER_TOKEN;
}
