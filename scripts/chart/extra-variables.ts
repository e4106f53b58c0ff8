// The variables that extraEnv of the chart takes: those of the settings, less what other values and the Secrets set. The schema
// holds them as a list, for Helm reads no TypeScript.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  fileVariable,
  SECRET_VARIABLES,
  TLS_VARIABLES,
  VARIABLES,
} from "../../control-plane/src/settings/variables.js";
import { projectRoot } from "../project-root.js";
import { CHART } from "./chart-files.js";

const SCHEMA = `${CHART}/values.schema.json`;

/** What the chart sets by its values, whichever they are, and ports on which its Services and probes rely. */
const OF_THE_CHART = [
  "SLUICE_HTTP_HOST",
  "SLUICE_HTTP_PORT",
  "SLUICE_STATUS_HOST",
  "SLUICE_STATUS_PORT",
  "SLUICE_DATA_DIR",
  "SLUICE_STORE_CA_FILE",
  "SLUICE_STORE_CERT_FILE",
  "SLUICE_STORE_KEY_FILE",
  "SLUICE_STORE_REPLICAS",
  "SLUICE_POLICY",
  "SLUICE_ISSUERS_FILE",
  ...TLS_VARIABLES,
  "SLUICE_LOG_LEVEL",
] as const;

/** A secret that is set in two ways ends the control plane, so neither way is left. */
const REFUSED: readonly string[] = [...OF_THE_CHART, ...SECRET_VARIABLES, ...SECRET_VARIABLES.map(fileVariable)];

/** Sorted. */
export const extraVariables = (): string[] => VARIABLES.filter((name) => !REFUSED.includes(name)).sort();

const LIST = /("pattern": "\^SLUICE_" \} \},\s*\{\s*"enum": \[)[^\]]*(\])/;

const read = (): string => readFileSync(join(projectRoot, SCHEMA), "utf8");

/** As the schema has them now. @throws Error where it has no such list */
export function variablesOfSchema(schema = read()): string[] {
  const [list] = LIST.exec(schema) ?? [];
  if (list === undefined) throw new Error(`${SCHEMA} has no list of variables for extraEnv`);
  return [...list.matchAll(/"(SLUICE_\w+)"/g)].map(([, name = ""]) => name);
}

/** Names of files that say something else. */
export const staleVariables = (): string[] =>
  JSON.stringify(variablesOfSchema()) === JSON.stringify(extraVariables()) ? [] : [SCHEMA];

export function writeVariables(): void {
  const indent = " ".repeat(18);
  const lines = extraVariables().map((name) => `\n${indent}"${name}"`);
  writeFileSync(join(projectRoot, SCHEMA), read().replace(LIST, `$1${lines.join(",")}\n${indent.slice(2)}$2`));
}
