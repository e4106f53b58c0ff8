// The golden files: what Helm makes of the chart for each entry of the table of values, and from what they were made.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { chartHash, GOLDEN, valuesNames } from "./chart-files.js";
import { type Rendering, renderings } from "./helm.js";

const MADE_FROM = "test/helm/made-from.json";

const documentsFile = (name: string): string => join(projectRoot, GOLDEN, `${name}.yaml`);
const notesFile = (name: string): string => join(projectRoot, GOLDEN, `${name}.notes.txt`);

/** As recorded; undefined: never. */
export function goldenOf(name: string): Rendering | undefined {
  if (!existsSync(documentsFile(name)) || !existsSync(notesFile(name))) return undefined;
  return { documents: readFileSync(documentsFile(name), "utf8"), notes: readFileSync(notesFile(name), "utf8") };
}

/** The hash of chart and values that the golden files were made from. */
export function goldenHash(): string {
  const { chart } = JSON.parse(readFileSync(join(projectRoot, MADE_FROM), "utf8")) as { readonly chart: string };
  return chart;
}

export async function writeGolden(binary: string): Promise<void> {
  const names = valuesNames();
  const rendered = await renderings(binary, names);
  rmSync(join(projectRoot, GOLDEN), { recursive: true, force: true });
  mkdirSync(join(projectRoot, GOLDEN), { recursive: true });
  for (const [at, { documents, notes }] of rendered.entries()) {
    writeFileSync(documentsFile(names[at] ?? ""), documents);
    writeFileSync(notesFile(names[at] ?? ""), notes);
  }
  writeFileSync(join(projectRoot, MADE_FROM), `${JSON.stringify({ chart: chartHash() }, null, 2)}\n`);
}

/** Entries of the table whose golden files say something else than Helm does now, or that have none. */
export async function staleGolden(binary: string, names: readonly string[] = valuesNames()): Promise<string[]> {
  const now = await renderings(binary, names);
  return names.filter((name, at) => {
    const [then, rendered] = [goldenOf(name), now[at]];
    return then?.documents !== rendered?.documents || then?.notes !== rendered?.notes;
  });
}
