// What a request really cost, in whole tokens.
import { MAX_SETTLED_COST } from "../../contract";

/** Stands as a cost that is more than any bucket could pay. */
export const COST_TOO_LARGE: u64 = 0xffffffffffffffff;
const MAX_COST: u64 = MAX_SETTLED_COST;
const MICRO: u64 = 1000000;

/**
 * A value × `times`, rounded up to whole tokens.
 * @param valueMicro millionths of a unit, at most 10^18
 * @param timesMicro millionths of a token a unit, 1 to 10^12
 */
export function settledCost(valueMicro: u64, timesMicro: u64): u64 {
  const units = valueMicro / MICRO;
  if (units > (MAX_COST * MICRO) / timesMicro) return COST_TOO_LARGE;
  // Below 10^18: a millionth of a unit less than one, × 10^12.
  const rest = (valueMicro % MICRO) * timesMicro;
  const costMicro = units * timesMicro + rest / MICRO + (rest % MICRO != 0 ? 1 : 0);
  const cost = (costMicro + MICRO - 1) / MICRO;
  return cost > MAX_COST ? COST_TOO_LARGE : cost;
}
