// What a request's route says of limits by name.
import { Epoch } from "../state/epoch";

/** A list of no costs, where there are no routes. */
const NO_COSTS: usize = memory.data(4, 4);

/** The costs for `takeCosts` (domain/limits/buckets.ts). */
export function namedCosts(epoch: Epoch, list: u32): usize {
  const routes = epoch.routes;
  return routes === null ? NO_COSTS : routes.costsAt(list);
}
