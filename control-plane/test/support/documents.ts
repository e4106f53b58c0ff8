// Documents for property tests: policies and edge settings within the ranges, and what becomes of them by chance.
import fc from "fast-check";
import { limits, limitsOfRoute, ofKnownLimits, rate, type LimitsOfRoute } from "./limit-documents.js";

/** The text with some stretches replaced: by pieces that mean something, by any character, or by nothing. */
export function mutations(text: string): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      "-",
      ".",
      "0",
      "1",
      "9",
      "e",
      "E",
      " ",
      "\n",
      "\t",
      "#",
      "!",
      "|",
      "@",
    ),
    fc.constantFrom(
      "null",
      "true",
      "1e999",
      "-0",
      '"',
      "\\ud800",
      "\\u0000",
      "- ",
      ": ",
      "? ",
      "---\n",
      "<<: ",
      "&a ",
      "*a",
    ),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.constant(""),
  );
  const change = fc.tuple(fc.nat(text.length), fc.nat(6), piece);
  return fc
    .array(change, { minLength: 1, maxLength: 6 })
    .map((changes) =>
      changes.reduce((changed, [at, length, put]) => changed.slice(0, at) + put + changed.slice(at + length), text),
    );
}

export const anyUnits = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

/** The way to each value in the tree, the root's being empty. */
export function pathsIn(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, member]) => pathsIn(member).map((path) => [key, ...path]))];
}

/** A copy with another value at the path. */
export function replaced(tree: unknown, [key, ...rest]: string[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy = structuredClone(tree) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, value);
  return copy;
}

const word = (...words: string[]): fc.Arbitrary<string> => fc.constantFrom(...words);
const name = fc.stringMatching(/^[a-z0-9-]{1,32}$/);
const durationMs = fc.integer({ min: 2_400_000, max: 315_360_000_000 });

const enforcement = fc.oneof(
  word("enforce", "shadow", "observe", "off"),
  fc.record({ shadow: fc.integer({ min: 1, max: 99 }) }),
);

const planFields = fc.record(
  {
    maxTokens: fc.integer({ min: 1, max: 9_000_000 }),
    limits,
    maxAge: durationMs,
    lifetime: durationMs,
    tokenBudget: fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    maxSessionsPerUser: fc.option(fc.integer({ min: 1, max: 1000 })),
    onMaxSessions: word("refuse", "removeOldest"),
    scope: fc.constant("edge"),
    enforcement: fc.option(enforcement),
    onUnreachable: fc.option(word("trust", "deny")),
  },
  { requiredKeys: ["maxTokens", "maxAge"] },
);

const plans = fc
  .tuple(
    fc.uniqueArray(fc.nat(65_535), { minLength: 20, maxLength: 20 }),
    fc.uniqueArray(name, { minLength: 20, maxLength: 20 }),
    fc.array(fc.tuple(planFields, rate), { minLength: 1, maxLength: 20 }),
  )
  .map(([ids, names, all]) =>
    all.map(([fields, ofPlan], index) => {
      const named = { id: ids[index], name: names[index], ...ofPlan, ...fields };
      // None has the plan's name.
      const others = fields.limits?.filter((limit) => limit.name !== named.name);
      return others === undefined ? named : { ...named, limits: others };
    }),
  );

export const headerName = fc.stringMatching(/^x-t[a-z0-9-]{0,30}$/);

const token = fc.record(
  {
    from: fc.uniqueArray(
      fc.oneof(
        fc.record({ header: headerName }),
        fc.record({ cookie: fc.stringMatching(/^[A-Za-z0-9_.~!-]{1,64}$/) }),
        fc.constant({ authorization: "Bearer" }),
      ),
      { minLength: 1, maxLength: 8, selector: (place) => JSON.stringify(place) },
    ),
    forward: fc.boolean(),
    identity: fc.boolean(),
  },
  { requiredKeys: [] },
);

const pathBelow = fc.stringMatching(/^(\/[a-z0-9._~%-]{0,8}){0,4}$/);

/** Each has a first segment of its own: none takes what a later one matches. */
const matchOf = (index: number): fc.Arbitrary<object> =>
  fc
    .tuple(
      fc.oneof(
        pathBelow.map((path) => ({ path: `/r${index}${path}` })),
        pathBelow.map((path) => ({ prefix: `/r${index}${path}` })),
        fc.tuple(pathBelow, word("", "/{rest*}", "/{b}/c")).map(([path, end]) => ({
          template: `/r${index}/{a}${path}${end}`,
        })),
      ),
      fc.record(
        {
          methods: fc.option(fc.uniqueArray(word("GET", "POST", "PUT"), { minLength: 1 })),
          hosts: fc.option(fc.uniqueArray(word("example.com", "*.example.com", "[::1]"), { minLength: 1 })),
          headers: fc.option(
            fc.uniqueArray(
              fc.record({ name: word("x-a", "x-b"), value: fc.option(fc.stringMatching(/^[!-~]{1,20}$/)) }),
              {
                minLength: 1,
                selector: (condition) => condition.name,
              },
            ),
          ),
        },
        { requiredKeys: [] },
      ),
    )
    .map(([path, conditions]) => ({ ...path, ...conditions }));

/** A cost of 0 or 1 suits every plan. */
const routes = fc
  .array(fc.tuple(fc.nat(1), fc.option(enforcement), fc.boolean(), limitsOfRoute), { maxLength: 20 })
  .chain((all) =>
    fc.tuple(
      ...all.map(([cost, ofRoute, exempt, ofLimits], index) =>
        matchOf(index).map((match): LimitsOfRoute & { readonly match: object } => {
          const isAmbiguous = /%|\/\/|\/\./.test(JSON.stringify(match));
          const own = ofRoute === "off" && isAmbiguous ? null : ofRoute;
          const route = exempt && !isAmbiguous ? { exempt } : { cost, enforcement: own, ...ofLimits };
          return { match, ...route };
        }),
      ),
    ),
  );

const anyPolicies = fc.record(
  {
    version: fc.constant(1),
    token,
    annotate: fc.subarray(["session", "plan", "decision", "limit"]),
    plans,
    routes,
    enforcement,
    onMiss: word("acquire", "trust"),
    onUnreachable: word("trust", "deny"),
    onContention: word("deny", "allow"),
    onTableFull: word("deny", "allow"),
    controlPlane: fc.record(
      {
        acquireTimeout: fc.integer({ min: 1, max: 4000 }),
        reportInterval: fc.integer({ min: 100, max: 600_000 }),
      },
      { requiredKeys: [] },
    ),
    sessions: fc.record(
      { cleanupInterval: fc.integer({ min: 100, max: 86_400_000 }), openStreams: word("close", "keep") },
      { requiredKeys: [] },
    ),
    response: fc.record(
      {
        headers: word("draft", "x-ratelimit", "both", "none"),
        body: word("json", "problem"),
        upstreamHeaders: word("replace", "keep"),
        limits: word("tightest", "all"),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ["version", "plans"] },
);

/** Policies within the ranges, with any of their optional fields, in the order and the units of the canonical form. */
export const policies = anyPolicies.map((document) => {
  const known = document.plans.flatMap((plan) => plan.limits ?? []);
  if (document.routes === undefined) return document;
  return { ...document, routes: document.routes.map((route) => ofKnownLimits(route, known)) };
});

const settingsFields = {
  version: fc.constant(1),
  controlPlane: fc.record({ cluster: fc.stringMatching(/^[!-~]{1,256}$/) }, { requiredKeys: [] }),
  table: fc.record(
    { name, capacity: fc.integer({ min: 10, max: 22 }).map((power) => 2 ** power) },
    { requiredKeys: [] },
  ),
};

/** Edge settings within the ranges: with a policy and any `follow`, or without one and following. */
export const edgeSettings = fc.oneof(
  fc.record({ ...settingsFields, follow: fc.boolean(), policy: policies }, { requiredKeys: ["version", "policy"] }),
  fc.record({ ...settingsFields, follow: fc.constant(true) }, { requiredKeys: ["version"] }),
);
