// What a request really cost, once its response says it (docs/policy.md, "Reserve, then settle").
import type { Reservation } from "./edge.js";

const MICRO = 1_000_000n;
const MAX_COST = 4_294_967_295n;
const NUMBER = /^(\d+)(?:\.(\d{1,6}))?$/;

export interface Settled {
  readonly outcome: string;
  /** What is added to the counters, by their names. */
  readonly counted: Readonly<Record<string, number>>;
}

/** Moves the level. @param said as the response has it; undefined: nothing */
export function plainSettled(reservation: Reservation, said: string | undefined, nowUs: bigint): Settled {
  const { levels, charge, route } = reservation;
  const { bucket, cost: reserved } = charge;
  const { outcome, cost } = costOf(said, route.settle?.times ?? 1, reserved, route.settle?.onMissing === "refund");
  levels.passUntil(nowUs);
  bucket.settle(reserved, cost);
  const isOwn = bucket.name === levels.plan.name;
  const counted = {
    [`sluice_settlements_total{outcome="${outcome}"}`]: 1,
    sluice_tokens_settled_total: cost,
    sluice_tokens_refunded_total: Math.max(0, reserved - cost),
    sluice_tokens_overdrawn_total: Math.max(0, cost - reserved),
    [`sluice_tokens_spent_total{plan="${levels.plan.name}"}`]: isOwn ? cost : 0,
  };
  return { outcome, counted };
}

function costOf(
  said: string | undefined,
  times: number,
  reserved: number,
  refunds: boolean,
): { readonly outcome: string; readonly cost: number } {
  if (said === undefined) return { outcome: "no_value", cost: refunds ? 0 : reserved };
  const [, whole, rest = ""] = NUMBER.exec(said) ?? [];
  if (whole === undefined) return { outcome: "invalid", cost: reserved };
  const valueMicro = BigInt(whole) * MICRO + BigInt(rest.padEnd(6, "0"));
  const product = valueMicro * BigInt(Math.round(times * 1e6));
  const cost = (product + MICRO * MICRO - 1n) / (MICRO * MICRO);
  const fits = valueMicro <= MICRO ** 3n && cost <= MAX_COST;
  return fits ? { outcome: "settled", cost: Number(cost) } : { outcome: "invalid", cost: reserved };
}
