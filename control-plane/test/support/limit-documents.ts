// What policies of property tests say of limits: rates, further limits, a route's figures, and where it settles.
import fc from "fast-check";

/** In their order. */
const LIMIT_NAMES = ["-", "0", "daily", "limit", "llm-a", "llm-b", "search", "z"];
const SECONDS_OF = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** In its normal form. */
const refill = fc
  .record({
    tokens: fc.integer({ min: 1, max: 9_000_000 }),
    units: fc.integer({ min: 1, max: 1000 }),
    unit: fc.constantFrom("s" as const, "m" as const, "h" as const, "d" as const),
  })
  .filter(({ tokens, units, unit }) => tokens <= 1_000_000 * units * SECONDS_OF[unit])
  .map(({ tokens, units, unit }) => `${tokens}/${units}${unit}`);

export const rate = fc.oneof(
  // Whole microtokens, as the double nearest to them: that prints with the same six decimals.
  fc.integer({ min: 0, max: 1_000_000_000_000 }).map((micro) => ({ tokenRefillRate: micro / 1_000_000 })),
  refill.map((text) => ({ refill: text })),
);

export interface LimitDocument {
  readonly name: string;
  readonly maxTokens: number;
  readonly applies?: string;
}

/** Sorted by name. */
export const limits = fc
  .subarray(LIMIT_NAMES, { maxLength: 7 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc
          .tuple(rate, fc.integer({ min: 1, max: 9_000_000 }), fc.constantFrom({}, { applies: "routes" }))
          .map(([ofLimit, maxTokens, applies]): LimitDocument => ({ name, maxTokens, ...applies, ...ofLimit })),
      ),
    ),
  );

/** A figure of 0 or 1 suits every limit. */
const figures = fc.dictionary(fc.constantFrom(...LIMIT_NAMES), fc.constantFrom(0, 1, null), { noNullPrototype: true });

const place = fc.oneof(
  fc.stringMatching(/^x-[a-z0-9_.-]{1,20}$/).map((header) => ({ header })),
  fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/).map((trailer) => ({ trailer })),
  fc.tuple(fc.stringMatching(/^[!-~]{1,20}$/), fc.stringMatching(/^[!-~]{1,20}$/)).map((metadata) => ({ metadata })),
  fc.stringMatching(/^(\/([^/~]|~0|~1){0,4}){1,16}$/).map((json) => ({ json })),
);

const settle = fc
  .tuple(
    place,
    fc.record(
      {
        limit: fc.option(fc.constantFrom(...LIMIT_NAMES)),
        times: fc.integer({ min: 1, max: 1_000_000_000_000 }).map((micro) => micro / 1_000_000),
        onMissing: fc.constantFrom("keep", "refund"),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([where, how]) => ({ ...where, ...how }));

export interface LimitsOfRoute {
  readonly limits?: Readonly<Record<string, number | null>>;
  readonly settle?: { readonly limit?: string | null } | null;
}

/** Also of names that no plan may have: `ofKnownLimits` takes those off. */
export const limitsOfRoute: fc.Arbitrary<LimitsOfRoute> = fc.record(
  { limits: figures, settle: fc.option(settle) },
  { requiredKeys: [] },
);

/** Without the limits that no plan has, and without a settle of one from which the route does not spend. */
export function ofKnownLimits<Route extends LimitsOfRoute>(route: Route, known: readonly LimitDocument[]): Route {
  const isKnown = (name: string): boolean => known.some((limit) => limit.name === name);
  const named = Object.entries(route.limits ?? {}).filter(([name]) => isKnown(name));
  const always = known.filter(({ applies }) => applies === undefined).map(({ name }) => name);
  const limit = route.settle?.limit ?? null;
  const spends = limit === null || [...always, ...named.map(([name]) => name)].includes(limit);
  return {
    ...route,
    ...(route.limits === undefined ? {} : { limits: Object.fromEntries(named) }),
    ...(route.settle && !spends ? { settle: { ...route.settle, limit: null } } : {}),
  };
}
