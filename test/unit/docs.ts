// Reads the project's documents, for tests that compare them with the code.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../scripts/project-root.js";

export function textOf(file: string): string {
  return readFileSync(join(projectRoot, file), "utf8");
}

/** The text between a heading of this title and the next of its level or a higher one. */
export function sectionOf(file: string, title: string): string {
  const lines = textOf(file).split("\n");
  const begin = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === title);
  if (begin < 0) throw new Error(`${file} has no heading "${title}"`);
  const level = (lines[begin] ?? "").indexOf(" ");
  const length = lines.slice(begin + 1).findIndex((line) => /^#+ /.test(line) && line.indexOf(" ") <= level);
  return lines.slice(begin + 1, length < 0 ? undefined : begin + 1 + length).join("\n");
}

/** The cells of every table in a section, without heads and rules. */
export function tableUnder(file: string, title: string): string[][] {
  const rows = sectionOf(file, title)
    .split("\n")
    .map((line, index, lines) => ({ line, isHead: /^\| ?-/.test(lines[index + 1] ?? "") }))
    .filter(({ line, isHead }) => line.startsWith("|") && !isHead && !/^\| ?-/.test(line));
  return rows.map(({ line }) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

export function withoutTicks(cell: string): string {
  return cell.replaceAll("`", "");
}

/** Each line of a document's blocks of PromQL. */
export function expressionsIn(text: string): string[] {
  const blocks = [...text.matchAll(/```promql\n([^]*?)```/g)].map(([, block = ""]) => block.trim());
  return blocks.flatMap((block) => block.split("\n"));
}
