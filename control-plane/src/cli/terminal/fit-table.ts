// Makes a table fit a terminal: columns that can be spared are left out, then long texts are cut.

export interface Fitted {
  /** Of the columns that are shown, by their place. */
  readonly shown: readonly number[];
  /** Of every column. */
  readonly widths: readonly number[];
}

export interface FittingColumn {
  readonly title: string;
  /** Its text may be cut, with … at its end. */
  readonly shrinks?: true;
  /** It may be left out. */
  readonly spare?: true;
}

const GAP = 2;
/** A text that is cut shorter says nothing. */
const MIN_CUT = 8;

/** Undefined: it does not fit so narrow a terminal in any way. */
export function fitTable(
  columns: readonly FittingColumn[],
  natural: readonly number[],
  room: number,
): Fitted | undefined {
  const least = columns.map(({ title, shrinks }, i) => {
    const width = natural[i] ?? 0;
    return shrinks === true ? Math.min(width, Math.max(MIN_CUT, title.length)) : width;
  });
  let shown = columns.map((_, i) => i);
  const takes = (widths: readonly number[]): number =>
    shown.reduce((sum, i) => sum + (widths[i] ?? 0), GAP * (shown.length - 1));
  while (takes(least) > room) {
    // The last one first.
    const spared = shown.filter((i) => columns[i]?.spare === true).at(-1);
    if (spared === undefined) return undefined;
    shown = shown.filter((i) => i !== spared);
  }
  const widths = [...natural];
  for (let over = takes(widths) - room; over > 0; over = takes(widths) - room) {
    const [longest, next] = shown
      .filter((i) => (widths[i] ?? 0) > (least[i] ?? 0))
      .sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
    if (longest === undefined) break;
    const before = widths[longest] ?? 0;
    // No shorter than the next one, which then gives too.
    const floor = next === undefined ? 0 : Math.min((widths[next] ?? 0) - 1, before - 1);
    widths[longest] = Math.max(before - over, floor, least[longest] ?? 0);
  }
  return { shown, widths };
}
