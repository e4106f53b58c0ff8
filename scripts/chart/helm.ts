// Renders the chart with a Helm, for the golden files and for the tests.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand, type Run } from "../run-command.js";
import { CHART, VALUES } from "./chart-files.js";

export const RELEASE = "sluice";
export const NAMESPACE = "sluice";
/** In a golden file, in place of what is another one in each rendering. */
export const BY_CHANCE = "by-chance";
/** A Helm that Go has built takes itself for one of Kubernetes 1.20. */
const KUBERNETES = "1.34.0";

export interface Rendering {
  /** All documents, with what chance made replaced by BY_CHANCE. */
  readonly documents: string;
  /** What Helm says after an installation. */
  readonly notes: string;
}

export const chartFolder = join(projectRoot, CHART);

/** Never rejects: a chart that Helm refuses is a run that failed. */
export function helm(binary: string, args: readonly string[]): Promise<Run> {
  // No cluster is asked, whichever one the user of this machine works with.
  const env = { PATH: process.env.PATH, HOME: join(tmpdir(), "sluice-no-home"), KUBECONFIG: "/dev/null" };
  return runCommand(binary, args, { env, timeoutMs: 120_000 });
}

export interface Place {
  readonly chart?: string;
  readonly release?: string;
  /** As an upgrade, and not as an installation. */
  readonly upgrades?: boolean;
}

/** @param values path of a file of values */
export function template(binary: string, values: string, place: Place = {}): Promise<Run> {
  const { chart = chartFolder, release = RELEASE, upgrades = false } = place;
  const options = ["--namespace", NAMESPACE, "--kube-version", KUBERNETES, "--values", values];
  return helm(binary, ["template", release, chart, ...options, ...(upgrades ? ["--is-upgrade"] : [])]);
}

/** Of entries of the table of values, in their order. @throws Error with what Helm says */
export async function renderings(binary: string, names: readonly string[]): Promise<Rendering[]> {
  const chart = chartWithNotes();
  try {
    const rendered: Rendering[] = [];
    for (const name of names) {
      const { code, stdout, output } = await template(binary, join(projectRoot, VALUES, `${name}.yaml`), { chart });
      if (code !== 0) throw new Error(`${name}: ${output.trim()}`);
      rendered.push(renderingIn(stdout));
    }
    return rendered;
  } finally {
    rmSync(chart, { recursive: true });
  }
}

const NOTES = "notes-as-document";

/** `helm template` leaves the notes out: in a copy of the chart they are a document. */
function chartWithNotes(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-chart-"));
  cpSync(chartFolder, folder, { recursive: true });
  const notes = readFileSync(join(folder, "templates/NOTES.txt"), "utf8");
  writeFileSync(join(folder, `templates/_${NOTES}.tpl`), `{{- define "${NOTES}" -}}\n${notes}{{- end -}}\n`);
  const document = `kind: ZNotes\ntext: |\n{{ include "${NOTES}" . | indent 2 }}\n`;
  writeFileSync(join(folder, `templates/${NOTES}.yaml`), document);
  return folder;
}

function renderingIn(text: string): Rendering {
  const isNotes = (document: string): boolean => document.includes(`# Source: sluice/templates/${NOTES}.yaml\n`);
  const documents = text.split(/^---\n/m);
  const notes = (documents.find(isNotes) ?? "").replace(/^.*\n.*\n.*\n/, "").replace(/^ {2}/gm, "");
  return {
    documents: withoutChance(documents.filter((one) => !isNotes(one)).join("---\n")),
    notes: `${notes.trim()}\n`,
  };
}

/** Generated secrets, and the checksum over them. */
function withoutChance(documents: string): string {
  return documents
    .replace(/^( {2}SLUICE_(?:SECRET|ADMIN_TOKEN)): \S+$/gm, `$1: ${BY_CHANCE}`)
    .replace(/^( +checksum\/secret): \S+$/gm, `$1: ${BY_CHANCE}`);
}
