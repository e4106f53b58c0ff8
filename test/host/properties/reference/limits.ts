// What a session's limits say to a request: what it takes from which, whether all have it, and which is the tightest
// (docs/policy.md, "Limits").
import type { Plan, Route } from "../../../../control-plane/src/domain/policy/policy.js";
import { PlainBucket } from "./bucket.js";

/** A bucket that applies to a request, and what that takes from it. */
export interface Charge {
  readonly bucket: PlainBucket;
  readonly cost: number;
}

/** What a session holds: its plan's own bucket, and the further ones by name. */
export class PlainLevels {
  readonly buckets: readonly PlainBucket[];
  #atUs: bigint;

  /** @param held microtokens; what is not there is full */
  constructor(
    readonly plan: Plan,
    nowUs: bigint,
    held?: { readonly own: number; readonly levels: Readonly<Record<string, number>> },
  ) {
    const further = [...plan.limits].sort((a, b) => (a.name < b.name ? -1 : 1));
    const others = further.map((limit) => new PlainBucket(limit, held?.levels[limit.name]));
    this.buckets = [new PlainBucket(plan, held?.own), ...others];
    this.#atUs = nowUs;
  }

  passUntil(nowUs: bigint): void {
    for (const bucket of this.buckets) bucket.pass(nowUs - this.#atUs);
    this.#atUs = nowUs;
  }

  /** The plan's own first, then by name. */
  chargesOf(route: Route | undefined): Charge[] {
    const cost = route?.cost ?? 1;
    return this.buckets.flatMap((bucket, at) => {
      if (at === 0) return [{ bucket, cost }];
      const named = route?.limits[bucket.name];
      if (named !== undefined) return [{ bucket, cost: named ?? cost }];
      const applies = this.plan.limits.find(({ name }) => name === bucket.name)?.applies;
      return applies === "always" ? [{ bucket, cost }] : [];
    });
  }
}

/** Of those that have too little, the one with the longest wait; of equal ones the first. */
export function refusingOf(charges: readonly Charge[]): Charge | undefined {
  return first(
    charges.filter(({ bucket, cost }) => cost > 0 && !bucket.holds(cost)),
    (a, b) => longer(a.bucket.waitUs(a.cost), b.bucket.waitUs(b.cost)),
  );
}

/** The one with room for the fewest more such requests; the plan's own where nothing is taken. */
export function tightestOf(charges: readonly Charge[]): Charge | undefined {
  const taking = charges.filter(({ cost }) => cost > 0);
  return first(taking, (a, b) => a.bucket.roomFor(a.cost) < b.bucket.roomFor(b.cost)) ?? charges[0];
}

/** Never is longer than any time. */
function longer(a: bigint | undefined, b: bigint | undefined): boolean {
  return b !== undefined && (a === undefined || a > b);
}

function first<T>(items: readonly T[], beats: (a: T, b: T) => boolean): T | undefined {
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || beats(item, best) ? item : best),
    undefined,
  );
}
