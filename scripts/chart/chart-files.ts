// The files of the chart: which of them are copies, and a hash over all that a rendering is made from.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";

export const CHART = "deploy/helm/sluice";
export const VALUES = "test/helm/values";
export const GOLDEN = "test/helm/golden";

/** A chart carries what it hands out: these stand in files/ as they stand elsewhere. */
export const COPIES: Readonly<Record<string, string>> = {
  [`${CHART}/files/policy.yaml`]: "policy.yaml",
  [`${CHART}/files/rules.yaml`]: "envoy/prometheus/rules.yaml",
  [`${CHART}/files/mesh-rules.yaml`]: "envoy/prometheus/mesh-rules.yaml",
  [`${CHART}/files/dashboard.json`]: "envoy/grafana/dashboard.json",
};

const read = (file: string): string => readFileSync(join(projectRoot, file), "utf8");

/** Copies that say something else than their originals. */
export function staleCopies(): string[] {
  return Object.entries(COPIES)
    .filter(([copy, original]) => !existsSync(join(projectRoot, copy)) || read(copy) !== read(original))
    .map(([copy]) => copy);
}

export function writeCopies(): void {
  for (const [copy, original] of Object.entries(COPIES)) writeFileSync(join(projectRoot, copy), read(original));
}

/** Names of the table of values, without their ending, sorted. */
export function valuesNames(): string[] {
  return readdirSync(join(projectRoot, VALUES))
    .map((file) => file.replace(/\.yaml$/, ""))
    .sort();
}

/** SHA-256 over names and contents of all files of the chart and of the table of values. */
export function chartHash(): string {
  const hash = createHash("sha256");
  for (const file of [...filesBelow(CHART), ...filesBelow(VALUES)]) hash.update(JSON.stringify([file, read(file)]));
  return hash.digest("hex");
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return paths.map((path) => path.slice(projectRoot.length).replace(/^\//, "")).sort();
}
