// What a command prints: aligned tables and fields for people, JSON for programs.
import { columnsOf, fitting } from "./columns.js";
import type { Io } from "./io.js";
import { fitTable } from "./fit-table.js";
import type { Fitted, FittingColumn } from "./fit-table.js";
import { visible, visibleJson } from "./visible.js";
import { wrapped } from "./wrapping.js";

export type Colour = "bold" | "green" | "red" | "yellow";
export type Cell = string | number | { readonly text: string; readonly colour: Colour };

export interface Column<Row> extends FittingColumn {
  /** Numbers stand to the right. */
  readonly right?: true;
  readonly of: (row: Row) => Cell;
}

const SGR: Readonly<Record<Colour, string>> = { bold: "1", green: "32", red: "31", yellow: "33" };
const GAP = "  ";
const CUT = "…";

export class Output {
  constructor(
    private readonly io: Pick<Io, "out" | "err">,
    /** Whether programs read it. */
    readonly json: boolean,
    private readonly coloured: boolean,
    /** Columns of the terminal; Infinity: it is none, and nothing is cut. */
    readonly width = Infinity,
  ) {}

  line(text: string): void {
    this.io.out(`${visible(text)}\n`);
  }

  /** What is no result: how far it is, that there is more. */
  remark(text: string): void {
    if (this.json) this.io.err(`${visibleJson({ remark: text })}\n`);
    else for (const line of wrapped(visible(text), this.width)) this.io.err(`${line}\n`);
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

  /** In a terminal that is too narrow long texts are cut, columns that can be spared left out, or rows are shown as fields. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    const grid = new Grid(columns, rows);
    const fitted = grid.fitted(this.width);
    if (fitted === undefined) {
      rows.forEach((row, i) => {
        if (i > 0) this.io.out("\n");
        this.fields(columns.map(({ title, of }) => [title.toLowerCase(), of(row)]));
      });
      return;
    }
    for (const line of this.fittedLines(grid, fitted)) this.io.out(`${line}\n`);
    const spared = columns.filter((_, i) => !fitted.shown.includes(i)).map(({ title }) => title);
    if (spared.length > 0) this.remark(`Left out here: ${spared.join(", ")}. A wider terminal or -o json shows all`);
  }

  /** The lines of a screen that is drawn anew again and again: what does not fit is cut or left out without a word. */
  screenLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
    const grid = new Grid(columns, rows);
    const fitted = grid.fitted(this.width) ?? grid.asItIs();
    return this.fittedLines(grid, fitted, this.width);
  }

  private fittedLines<Row>(grid: Grid<Row>, { shown, widths }: Fitted, room = Infinity): string[] {
    const columns = shown.map((i) => ({ right: grid.columns[i]?.right, width: widths[i] ?? 0 }));
    return grid.lines.map((cells) =>
      this.tableLine(
        columns,
        shown.map((i) => cells[i] ?? ""),
        room,
      ),
    );
  }

  private tableLine(
    columns: readonly { readonly right: true | undefined; readonly width: number }[],
    cells: readonly Cell[],
    maxColumns: number,
  ): string {
    let line = "";
    let room = maxColumns;
    cells.forEach((cell, i) => {
      const { right, width } = columns[i] ?? { right: undefined, width: 0 };
      const text = cutTo(textOf(cell), width);
      const blank = " ".repeat(Math.max(0, width - columnsOf(text)));
      const isLast = i === cells.length - 1;
      const [before, after] = right === true ? [blank, ""] : ["", isLast ? "" : blank];
      const parts: [string, Colour | undefined][] = [
        [(i === 0 ? "" : GAP) + before, undefined],
        [text, typeof cell === "object" ? cell.colour : undefined],
        [after, undefined],
      ];
      for (const [part, colour] of parts) {
        const cut = fitting(part, room);
        // A wide character that does not fit leaves a column, into which nothing that follows it goes.
        room -= cut === part ? columnsOf(cut) : room;
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

/** A table's cells, its titles first. */
class Grid<Row> {
  readonly lines: readonly (readonly Cell[])[];
  private readonly natural: readonly number[];

  constructor(
    readonly columns: readonly Column<Row>[],
    rows: readonly Row[],
  ) {
    const titles = columns.map(({ title }): Cell => ({ text: title, colour: "bold" }));
    this.lines = [titles, ...rows.map((row) => columns.map(({ of }) => of(row)))];
    this.natural = columns.map((_, i) =>
      this.lines.reduce((width, cells) => Math.max(width, columnsOf(textOf(cells[i] ?? ""))), 0),
    );
  }

  fitted(room: number): Fitted | undefined {
    return fitTable(this.columns, this.natural, room);
  }

  asItIs(): Fitted {
    return { shown: this.columns.map((_, i) => i), widths: this.natural };
  }
}

function cutTo(text: string, width: number): string {
  return columnsOf(text) <= width ? text : fitting(text, width - 1) + CUT;
}

const textOf = (cell: Cell): string => visible(typeof cell === "object" ? cell.text : String(cell));

/** `2026-01-01T00:00:00Z`; a dash for never. */
export function timeText(ms: number | null): string {
  if (ms === null) return "-";
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : `${date.toISOString().slice(0, 19)}Z`;
}
