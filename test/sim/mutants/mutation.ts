// A rule that is taken out of a copy of the sources by replacing text.

export interface Replacement {
  readonly file: string;
  readonly find: string;
  readonly by: string;
}

export interface Mutation {
  readonly rule: string;
  readonly replacements: readonly Replacement[];
}

export const filter = (name: string): string => `assembly/filter/${name}.ts`;
export const app = (name: string): string => `control-plane/src/app/${name}.ts`;

export function without(rule: string, file: string, find: string, by = ""): Mutation {
  return { rule, replacements: [{ file, find, by }] };
}
