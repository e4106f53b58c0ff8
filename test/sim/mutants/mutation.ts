// A rule that is taken out of a copy of the sources by replacing text.

import type { Aim } from "../leases/faults/lease-profile.js";

export interface Replacement {
  readonly file: string;
  readonly find: string;
  readonly by: string;
}

export interface Mutation {
  readonly rule: string;
  /** What finds it: the simulation, unless it is said, the interleavings of settlements, or the simulation of leases. */
  readonly judge?: "settlements" | "leases";
  /** Of the simulation of leases: which of its seeds come to it. All, unless it is said. */
  readonly aim?: Aim;
  readonly replacements: readonly Replacement[];
}

export const filter = (name: string): string => `assembly/filter/${name}.ts`;
export const app = (name: string): string => `control-plane/src/app/${name}.ts`;

export function without(rule: string, file: string, find: string, by = ""): Mutation {
  return { rule, replacements: [{ file, find, by }] };
}

/**
 * The files of a mutation without their rule, by name. Throws where the text of the rule is not in its file.
 * @param read the text of a file
 */
export function mutatedFiles(mutation: Mutation, read: (file: string) => string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { file, find, by } of mutation.replacements) {
    // Where a rule stands twice, both go.
    const parts = (texts.get(file) ?? read(file)).split(find);
    if (parts.length < 2) throw new Error(`the text of the rule is not in ${file}`);
    texts.set(file, parts.join(by));
  }
  return texts;
}
