// Runs of the simulation of leases in which requests reserve, and settle later: when their lease is over, when their record was
// evicted and made again, after a failover, under another size of the plan.
import type { Random } from "../../../host/harness/host/random.js";
import type { Variant } from "../parts/lease-policies.js";
import type { LeaseProfile } from "./lease-profile.js";

/** Many settle, and the calls that say so are lost, late or doubled. */
export function aimAtSettling(random: Random): Partial<LeaseProfile> {
  const own = { maxTokens: random.pick([20, 60, 180]), tokenRefillRate: random.pick([2, 20, 200]) };
  const search = { maxTokens: random.pick([15, 60]), tokenRefillRate: random.pick([2, 20]) };
  const first: Variant = {
    ...{ scope: "fleet", own, settles: true },
    search: random.chance(0.5) ? search : undefined,
  };
  const changes = random.chance(0.25);
  return {
    ...{ first, others: changes ? [{ ...first, own: { ...own, maxTokens: own.maxTokens * 2 } }] : [] },
    ...{ change: changes ? 0.003 : 0, searches: first.search === undefined ? 0 : 0.4 },
    ...{ demand: random.pick([0.2, 0.5, 1]), settles: random.pick([0.1, 0.2]) },
    ...{ lost: random.pick([0, 0.15]), doubled: random.pick([0, 0.4]), held: random.pick([0, 0.3]) },
    ...{ heldMs: random.pick([300, 1500]), storeLost: random.pick([0, 0.05]), workerStall: random.pick([0, 0.005]) },
    ...{ evict: 0.02, envoyCrash: random.pick([0, 0.001]), reload: random.pick([0, 0.002]) },
    ...{ failover: random.pick([0, 0.003]), failoverInUse: true, behindMs: random.pick([200, 1000]) },
    ...{ revoke: random.pick([0, 0, 0.001]), planeCrash: random.pick([0, 0.002]) },
    ...{ pause: random.pick([0.05, 0.1]), pauseMs: random.pick([100, 400]), longPause: random.pick([0.001, 0.004]) },
    ...{ rest: random.pick([0, 0.002]) },
  };
}

/** While all else goes on that may. */
export function alsoSettling(any: LeaseProfile, random: Random): LeaseProfile {
  const times = random.pick([1, 3]);
  const settled = (variant: Variant): Variant => ({
    ...{ ...variant, settles: true },
    own: { ...variant.own, maxTokens: variant.own.maxTokens * times },
  });
  return {
    ...{ ...any, first: settled(any.first), others: any.others.map(settled) },
    settles: random.pick([0.05, 0.1, 0.2]),
  };
}
