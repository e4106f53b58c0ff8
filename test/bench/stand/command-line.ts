// The command line of a benchmark in parts: which of them are wanted, where the figures go, and one option of its own.
import { parseArgs } from "node:util";
import { Failure, describe } from "../../../scripts/failure.js";

export interface CommandLine<Part extends string> {
  /** As package.json names it. */
  readonly script: string;
  /** In the order in which they run. */
  readonly parts: readonly Part[];
  /** The option that only this benchmark has, and what its value is. */
  readonly own: { readonly name: string; readonly value: "FILE" | "FOLDER" };
}

export interface Asked<Part extends string> {
  readonly quick: boolean;
  /** Where the figures go as JSON; null: nowhere. */
  readonly json: string | null;
  /** All of them, where none is named. */
  readonly parts: readonly Part[];
  /** What the benchmark's own option says; null: it is not there. */
  readonly own: string | null;
}

/** @throws Failure that shows the usage */
export function askedOf<Part extends string>(argv: readonly string[], line: CommandLine<Part>): Asked<Part> {
  const values = parsed(argv, line);
  const wanted: readonly string[] = values.only ?? [];
  const unknown = wanted.find((name) => !line.parts.some((part) => part === name));
  if (unknown !== undefined) throw new Failure(`There is no part "${unknown}". ${usageOf(line)}`);
  return {
    quick: values.quick ?? false,
    json: values.json ?? null,
    parts: line.parts.filter((part) => wanted.length === 0 || wanted.includes(part)),
    own: values.own,
  };
}

function parsed(argv: readonly string[], line: CommandLine<string>) {
  const options = {
    quick: { type: "boolean" },
    json: { type: "string" },
    only: { type: "string", multiple: true },
    [line.own.name]: { type: "string" },
  } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options });
    const own = values[line.own.name];
    return { ...values, own: typeof own === "string" ? own : null };
  } catch (error) {
    throw new Failure(`${describe(error)} ${usageOf(line)}`);
  }
}

const usageOf = ({ script, parts, own }: CommandLine<string>): string =>
  `npm run ${script} -- [--quick] [--only PART]… [--json FILE] [--${own.name} ${own.value}]; parts: ${parts.join(", ")}`;
