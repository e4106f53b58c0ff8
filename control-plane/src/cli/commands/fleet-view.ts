// How the fleet budget of a session is shown: what no edge has of it, and below it who may spend how much.
import type { Fleet } from "../client/answers.js";
import type { Column, Output } from "../terminal/output.js";
import { shortRate } from "./bucket-view.js";

type BucketOfFleet = Fleet["buckets"][number];

interface Held {
  readonly edge: string;
  readonly instance: string;
  readonly limit: string;
  readonly tokens: number;
  readonly endsInMs: number;
}

const LEASES: readonly Column<Held>[] = [
  { title: "EDGE", shrinks: true, of: ({ edge }) => edge },
  { title: "INSTANCE", spare: true, of: ({ instance }) => instance },
  { title: "LIMIT", of: ({ limit }) => limit },
  { title: "LEASED", right: true, of: ({ tokens }) => tokens.toFixed(1) },
  { title: "ENDS IN", right: true, of: ({ endsInMs }) => `${(endsInMs / 1000).toFixed(1)} s` },
];

export function showFleet({ plan, buckets, leases }: Fleet, output: Output): void {
  const named = (name: string): string => (name === "" ? plan : name);
  const columns: readonly Column<BucketOfFleet>[] = [
    { title: "LIMIT", of: ({ name }) => named(name) },
    { title: "TOKENS", right: true, of: ({ level }) => level.toFixed(1) },
    { title: "LEASED", right: true, of: ({ outstanding }) => outstanding.toFixed(1) },
    { title: "CAPACITY", right: true, of: ({ capacity }) => capacity },
    { title: "REFILL/S", right: true, of: ({ refillRate }) => shortRate(refillRate) },
  ];
  output.table(columns, buckets);
  output.line("");
  const held = leases.flatMap(({ edge, instance, outstanding, endsInMs }) =>
    Object.entries(outstanding).map(([name, tokens]): Held => ({
      edge,
      instance,
      limit: named(name),
      tokens,
      endsInMs,
    })),
  );
  if (held.length === 0) output.line("No edge has a lease: all that is left is in the budget");
  else output.table(LEASES, held);
}
