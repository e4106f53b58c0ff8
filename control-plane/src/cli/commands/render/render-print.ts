// How rendered documents are printed: YAML for people and files, JSON where it is asked for. Both are complete.
import { stringify } from "yaml";
import type { Invocation } from "../../command.js";

/** Printed as it is, not line by line: it goes into a file. */
export function print({ io, output }: Pick<Invocation, "io" | "output">, value: object): void {
  if (output.json) output.document(value);
  else io.out(stringify(value, { lineWidth: 0 }));
}

/** Manifests, as kubectl takes them: YAML documents one behind the other, or one List as JSON. */
export function printManifests({ io, output }: Pick<Invocation, "io" | "output">, manifests: readonly object[]): void {
  if (output.json) output.document({ apiVersion: "v1", kind: "List", items: manifests });
  else io.out(manifests.map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n"));
}
