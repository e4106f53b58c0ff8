// How a rendered document is printed: YAML for people and files, JSON where it is asked for. Both are complete.
import { stringify } from "yaml";
import type { Invocation } from "../../command.js";

/** Printed as it is, not line by line: it goes into a file. */
export function print({ io, output }: Pick<Invocation, "io" | "output">, value: object): void {
  if (output.json) output.document(value);
  else io.out(stringify(value, { lineWidth: 0 }));
}
