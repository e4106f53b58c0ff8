// Documents for property tests: policies and edge settings within the ranges, and what becomes of them by chance.
import fc from "fast-check";

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
    // Whole microtokens, as the double nearest to them: that prints with the same six decimals.
    tokenRefillRate: fc.integer({ min: 0, max: 1_000_000_000_000 }).map((micro) => micro / 1_000_000),
    maxAge: durationMs,
    lifetime: durationMs,
    tokenBudget: fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    maxSessionsPerUser: fc.option(fc.integer({ min: 1, max: 1000 })),
    onMaxSessions: word("refuse", "removeOldest"),
    scope: fc.constant("edge"),
    enforcement: fc.option(enforcement),
  },
  { requiredKeys: ["maxTokens", "tokenRefillRate", "maxAge"] },
);

const plans = fc
  .tuple(
    fc.uniqueArray(fc.nat(65_535), { minLength: 20, maxLength: 20 }),
    fc.uniqueArray(name, { minLength: 20, maxLength: 20 }),
    fc.array(planFields, { minLength: 1, maxLength: 20 }),
  )
  .map(([ids, names, all]) => all.map((fields, index) => ({ id: ids[index], name: names[index], ...fields })));

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
const routes = fc.array(fc.tuple(fc.nat(1), fc.option(enforcement), fc.boolean()), { maxLength: 20 }).chain((all) =>
  fc.tuple(
    ...all.map(([cost, ofRoute, exempt], index) =>
      matchOf(index).map((match) => {
        const isAmbiguous = /%|\/\/|\/\./.test(JSON.stringify(match));
        if (exempt && !isAmbiguous) return { match, exempt };
        return { match, cost, enforcement: ofRoute === "off" && isAmbiguous ? null : ofRoute };
      }),
    ),
  ),
);

/** Policies within the ranges, with any of their optional fields. */
export const policies = fc.record(
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
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ["version", "plans"] },
);

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
