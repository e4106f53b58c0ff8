// What a command prints: aligned tables and fields for people, JSON for programs.
import type { Io } from "./io.js";
import { visible, visibleJson } from "./visible.js";

export type Colour = "bold" | "green" | "red" | "yellow";
export type Cell = string | number | { readonly text: string; readonly colour: Colour };

export interface Column<Row> {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly right?: true;
  readonly of: (row: Row) => Cell;
}

const SGR: Readonly<Record<Colour, string>> = { bold: "1", green: "32", red: "31", yellow: "33" };
const GAP = "  ";

export class Output {
  constructor(
    private readonly io: Pick<Io, "out" | "err">,
    /** Whether programs read it. */
    readonly json: boolean,
    private readonly coloured: boolean,
  ) {}

  line(text: string): void {
    this.io.out(`${visible(text)}\n`);
  }

  /** What is no result: how far it is, that there is more. */
  remark(text: string): void {
    this.io.err(`${this.json ? visibleJson({ remark: text }) : visible(text)}\n`);
  }

  document(value: unknown): void {
    this.io.out(`${visibleJson(value)}\n`);
  }

  fields(fields: readonly (readonly [name: string, value: Cell])[]): void {
    const width = Math.max(...fields.map(([name]) => name.length));
    for (const [name, value] of fields) {
      this.io.out(`${this.paint(name.padEnd(width), "bold")}${GAP}${this.shown(value)}\n`);
    }
  }

  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    for (const line of this.tableLines(columns, rows)) this.io.out(`${line}\n`);
  }

  /** The table's lines, each cut to `maxChars`. */
  tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[], maxChars = Infinity): string[] {
    const grid = rows.map((row) => columns.map(({ of }) => of(row)));
    const widths = columns.map(({ title }, i) =>
      grid.reduce((width, cells) => Math.max(width, lengthOf(cells[i] ?? "")), title.length),
    );
    const titles = columns.map(({ title }): Cell => ({ text: title, colour: "bold" }));
    return [titles, ...grid].map((cells) => this.tableLine(columns, cells, widths, maxChars));
  }

  private tableLine(
    columns: readonly { readonly right?: true }[],
    cells: readonly Cell[],
    widths: readonly number[],
    maxChars: number,
  ): string {
    let line = "";
    let room = maxChars;
    cells.forEach((cell, i) => {
      const blank = " ".repeat((widths[i] ?? 0) - lengthOf(cell));
      const isLast = i === cells.length - 1;
      const [before, after] = columns[i]?.right ? [blank, ""] : ["", isLast ? "" : blank];
      const parts: [string, Colour | undefined][] = [
        [(i === 0 ? "" : GAP) + before, undefined],
        [textOf(cell), typeof cell === "object" ? cell.colour : undefined],
        [after, undefined],
      ];
      for (const [text, colour] of parts) {
        const cut = room === Infinity ? text : charactersOf(text).slice(0, room).join("");
        room -= charactersOf(cut).length;
        line += colour === undefined || cut === "" ? cut : this.paint(cut, colour);
      }
    });
    return line;
  }

  private shown(cell: Cell): string {
    return typeof cell === "object" ? this.paint(textOf(cell), cell.colour) : textOf(cell);
  }

  private paint(text: string, colour: Colour): string {
    return this.coloured ? `\x1b[${SGR[colour]}m${text}\x1b[0m` : text;
  }
}

const textOf = (cell: Cell): string => visible(typeof cell === "object" ? cell.text : String(cell));
/** Code points: wide scripts and joined emoji may still stand askew, which costs no more than looks. */
const charactersOf = (text: string): string[] => Array.from(text);
const lengthOf = (cell: Cell): number => charactersOf(textOf(cell)).length;

/** `2026-01-01T00:00:00Z`; a dash for never. */
export function timeText(ms: number | null): string {
  if (ms === null) return "-";
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : `${date.toISOString().slice(0, 19)}Z`;
}
