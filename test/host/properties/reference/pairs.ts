// Header lines as the reference reads them.

export type Pairs = readonly (readonly [name: string, value: string])[];

/** The first line's value. */
export function headerOf(pairs: Pairs, name: string): string | undefined {
  return pairs.find(([key]) => key === name)?.[1];
}

export function without(pairs: Pairs, names: readonly string[]): Pairs {
  return pairs.filter(([name]) => !names.includes(name));
}
