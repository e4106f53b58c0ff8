// The benchmark's command line.
import { Failure } from "../../../scripts/failure.js";
import { askedOf, type Asked } from "./command-line.js";

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

export interface BenchArguments extends Omit<Asked<PartName>, "own"> {
  /** Where the picture goes. */
  readonly svg: string | null;
}

/** @throws Failure that shows the usage */
export function benchArguments(argv: readonly string[]): BenchArguments {
  const own = { name: "svg", value: "FILE" } as const;
  const { own: svg, ...asked } = askedOf(argv, { script: "bench", parts: PARTS, own });
  if (svg !== null && !asked.parts.includes("request-path")) {
    throw new Failure("The picture is of the part request-path: --svg needs it.");
  }
  return { ...asked, svg };
}
