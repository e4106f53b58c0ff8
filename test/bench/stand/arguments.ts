// The benchmark's command line.
import { parseArgs } from "node:util";
import { Failure, describe } from "../../../scripts/failure.js";

const PARTS = [
  "request-path",
  "host-calls",
  "routes",
  "limits",
  "token-places",
  "settle",
  "full-table",
  "ticks",
  "workers",
  "scale",
] as const;
export type PartName = (typeof PARTS)[number];

export interface BenchArguments {
  readonly quick: boolean;
  /** Where the figures go as JSON; null: nowhere. */
  readonly json: string | null;
  /** Where the picture goes. */
  readonly svg: string | null;
  readonly parts: readonly PartName[];
}

const USAGE = `npm run bench -- [--quick] [--only PART]… [--json FILE] [--svg FILE]; parts: ${PARTS.join(", ")}`;

/** @throws Failure that shows the usage */
export function benchArguments(argv: readonly string[]): BenchArguments {
  const values = parsed(argv);
  const wanted = values.only ?? [];
  const unknown = wanted.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) throw new Failure(`There is no part "${unknown}". ${USAGE}`);
  if (values.svg !== undefined && wanted.length > 0 && !wanted.includes("request-path")) {
    throw new Failure("The picture is of the part request-path: --svg needs it.");
  }
  return {
    quick: values.quick ?? false,
    json: values.json ?? null,
    svg: values.svg ?? null,
    parts: PARTS.filter((part) => wanted.length === 0 || wanted.includes(part)),
  };
}

function parsed(argv: readonly string[]) {
  const options = {
    quick: { type: "boolean" },
    json: { type: "string" },
    svg: { type: "string" },
    only: { type: "string", multiple: true },
  } as const;
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new Failure(`${describe(error)} ${USAGE}`);
  }
}
