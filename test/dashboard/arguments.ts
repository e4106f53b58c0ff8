// The command line of npm run dashboard.
import { parseArgs } from "node:util";
import { describe, Failure } from "../../scripts/failure.js";

export interface DashboardArguments {
  /** Into its place in the project. */
  readonly write: boolean;
  /** Whether an installation is run and drawn. */
  readonly picture: boolean;
  /** For how long. */
  readonly seconds: number;
}

const SHORTEST_SECONDS = 60;
const DEFAULT_SECONDS = 120;
const LONGEST_SECONDS = 1800;
const USAGE = `npm run dashboard -- [--write] [--picture [--seconds ${SHORTEST_SECONDS}…${LONGEST_SECONDS}]]; with neither it is printed`;

/** @throws Failure that shows the usage */
export function dashboardArguments(argv: readonly string[]): DashboardArguments {
  const { write = false, picture = false, seconds = String(DEFAULT_SECONDS) } = parsed(argv);
  const count = Number(seconds);
  if (!Number.isInteger(count) || count < SHORTEST_SECONDS || count > LONGEST_SECONDS) throw new Failure(USAGE);
  return { write, picture, seconds: count };
}

function parsed(argv: readonly string[]) {
  const options = { write: { type: "boolean" }, picture: { type: "boolean" }, seconds: { type: "string" } } as const;
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new Failure(`${describe(error)} ${USAGE}`);
  }
}
