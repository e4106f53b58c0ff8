// The command line of the comparison of stores.
import { parseArgs } from "node:util";
import { Failure, describe } from "../../../scripts/failure.js";

const PARTS = ["memory", "calls", "propagation", "reset", "copy"] as const;
export type PartName = (typeof PARTS)[number];

export interface StoresArguments {
  readonly quick: boolean;
  /** Where the figures go as JSON; null: nowhere. */
  readonly json: string | null;
  readonly parts: readonly PartName[];
  /** Where the control planes leave CPU profiles, which costs them time; null: nowhere. */
  readonly profile: string | null;
}

const USAGE = `npm run bench:stores -- [--quick] [--only PART]… [--json FILE] [--profile FOLDER]; parts: ${PARTS.join(", ")}`;

/** @throws Failure that shows the usage */
export function storesArguments(argv: readonly string[]): StoresArguments {
  const values = parsed(argv);
  const wanted = values.only ?? [];
  const unknown = wanted.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) throw new Failure(`There is no part "${unknown}". ${USAGE}`);
  return {
    quick: values.quick ?? false,
    json: values.json ?? null,
    profile: values.profile ?? null,
    parts: PARTS.filter((part) => wanted.length === 0 || wanted.includes(part)),
  };
}

function parsed(argv: readonly string[]) {
  const options = {
    quick: { type: "boolean" },
    json: { type: "string" },
    profile: { type: "string" },
    only: { type: "string", multiple: true },
  } as const;
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new Failure(`${describe(error)} ${USAGE}`);
  }
}
