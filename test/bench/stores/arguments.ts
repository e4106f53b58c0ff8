// The command line of the comparison of stores.
import { askedOf, type Asked } from "../stand/command-line.js";

const PARTS = ["memory", "calls", "leases", "propagation", "reset", "copy", "failovers"] as const;
export type PartName = (typeof PARTS)[number];

export interface StoresArguments extends Omit<Asked<PartName>, "own"> {
  /** Where the control planes leave CPU profiles, which costs them time; null: nowhere. */
  readonly profile: string | null;
}

/** @throws Failure that shows the usage */
export function storesArguments(argv: readonly string[]): StoresArguments {
  const own = { name: "profile", value: "FOLDER" } as const;
  const { own: profile, ...asked } = askedOf(argv, { script: "bench:stores", parts: PARTS, own });
  return { ...asked, profile };
}
