// In which order a mesh is given what it needs: a filter that is loaded before its environment is there denies everything.

/** `environment`: whatever the filter needs at its first load, the secret above all. `filter`: the filter itself. */
export const PARTS = ["environment", "filter"] as const;
export type Part = (typeof PARTS)[number];

/** All of it with the filter last, or one part. */
export function inOrder(parts: Readonly<Record<Part, readonly object[]>>, only?: Part): object[] {
  return (only === undefined ? PARTS : [only]).flatMap((part) => parts[part]);
}
