// The result of a part of the benchmark: a table for readers, figures for programs.

export interface Section {
  readonly title: string;
  /** What was done, in a sentence or two; printed under the title. */
  readonly method: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What the JSON tells of it, under names that do not change: ratios, and what is no ratio, with its unit in the name. */
  readonly ratios?: Readonly<Record<string, number>>;
  readonly figures?: Readonly<Record<string, number>>;
}

/** The section as text: the first column to the left, figures to the right. */
export function sectionText({ title, method, columns, rows }: Section): string {
  const lines = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [`## ${title}`, method, "", ...lines.map(format), ""].join("\n");
}

export const us = (ns: number): string => (ns / 1000).toFixed(2);
export const ratio = (value: number): string => value.toFixed(2);
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
export const mebibytes = (bytes: number): string => (bytes / 1_048_576).toFixed(1);
