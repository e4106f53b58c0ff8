// What the environment says about `npm start`, validated at once and with the variable's name in every message.
import { isAbsolute, join } from "node:path";
import { EnvironmentReader } from "../../control-plane/src/settings/environment.js";
import type { Environment } from "../../control-plane/src/settings/environment.js";
import { readSecretFiles } from "../../control-plane/src/settings/secret-files.js";
import type { SecretFile } from "../../control-plane/src/settings/secret-files.js";
import { unknownVariables } from "../../control-plane/src/settings/unknown-variables.js";
import { CREDENTIAL_VARIABLES, TLS_VARIABLES } from "../../control-plane/src/settings/variables.js";
import { Failure } from "../failure.js";
import { operatorFiles } from "../operator-files.js";
import type { WantedPort } from "./ports.js";
import { projectRoot } from "../project-root.js";

export interface Settings {
  /** Where clients connect. The admin interface and the demo service have no such setting here. */
  proxyHost: string;
  proxyPort: number;
  envoyAdminPort: number;
  httpHost: string;
  httpPort: number;
  /** Of the control plane's health, readiness and metrics. */
  statusHost: string;
  statusPort: number;
  upstreamPort: number;
  dataDir: string;
  policyFile: string;
  /** Given by the user; undefined means: the one in the data folder. */
  secret: string | undefined;
  secretAlso: string | undefined;
  adminToken: string | undefined;
  logLevel: string;
}

export const LOOPBACK = "127.0.0.1";

/** With each secret in its own variable, and which of them stood in files. Rejects with a Failure that names the first violation. */
export async function environmentOf(
  env: Environment,
): Promise<{ readonly env: Environment; readonly files: ReadonlyMap<string, SecretFile> }> {
  const readFile = (path: string, maxBytes: number): Promise<Uint8Array> => operatorFiles.read(path, maxBytes);
  // The control plane reads the store's by itself: a password is to stand in no environment.
  const { violations, ...read } = await readSecretFiles(env, readFile, CREDENTIAL_VARIABLES);
  const [wrong] = [...unknownVariables(env), ...violations];
  if (wrong !== undefined) throw new Failure(wrong);
  return read;
}

/** @throws Failure naming the first variable that cannot be right. */
export function readSettings(env: Environment): Settings {
  const reader = new EnvironmentReader(env, ({ variable, expected, given }) => {
    throw new Failure(`${variable} must be ${expected}, got "${given}".`);
  });
  rejectTls(reader);
  const settings: Settings = {
    proxyHost: reader.text("SLUICE_PROXY_HOST", LOOPBACK),
    proxyPort: reader.port("SLUICE_PROXY_PORT", 1, 10000),
    envoyAdminPort: reader.port("SLUICE_ENVOY_ADMIN_PORT", 1, 9901),
    httpHost: reader.text("SLUICE_HTTP_HOST", LOOPBACK),
    httpPort: reader.port("SLUICE_HTTP_PORT", 1, 8080),
    statusHost: reader.text("SLUICE_STATUS_HOST", LOOPBACK),
    statusPort: reader.port("SLUICE_STATUS_PORT", 1, 8081),
    upstreamPort: reader.port("SLUICE_UPSTREAM_PORT", 1, 8000),
    dataDir: fromRoot(reader.text("SLUICE_DATA_DIR", ".sluice")),
    policyFile: fromRoot(reader.text("SLUICE_POLICY", "policy.yaml")),
    secret: reader.given("SLUICE_SECRET"),
    secretAlso: reader.given("SLUICE_SECRET_ALSO"),
    adminToken: reader.given("SLUICE_ADMIN_TOKEN"),
    logLevel: reader.text("SLUICE_LOG_LEVEL", "info"),
  };
  requireDifferent(wantedPorts(settings));
  return settings;
}

/** Every port that a start listens on. */
export function wantedPorts(settings: Settings): WantedPort[] {
  const { proxyHost, proxyPort, envoyAdminPort, httpHost, httpPort, statusHost, statusPort, upstreamPort } = settings;
  return [
    { host: proxyHost, port: proxyPort, purpose: "the proxy", variable: "SLUICE_PROXY_PORT" },
    { host: LOOPBACK, port: envoyAdminPort, purpose: "Envoy's admin interface", variable: "SLUICE_ENVOY_ADMIN_PORT" },
    { host: httpHost, port: httpPort, purpose: "the control plane", variable: "SLUICE_HTTP_PORT" },
    { host: statusHost, port: statusPort, purpose: "the control plane", variable: "SLUICE_STATUS_PORT" },
    { host: LOOPBACK, port: upstreamPort, purpose: "the demo service", variable: "SLUICE_UPSTREAM_PORT" },
  ];
}

function requireDifferent(wanted: readonly WantedPort[]): void {
  for (const [index, one] of wanted.entries()) {
    const other = wanted.slice(0, index).find(({ port: taken }) => taken === one.port);
    if (other !== undefined) throw new Failure(`${other.variable} and ${one.variable} are both ${one.port}.`);
  }
}

/** The Envoy that is started here, and the program that waits for it, speak plain text to the control plane. */
function rejectTls(reader: EnvironmentReader): void {
  const variable = TLS_VARIABLES.find((name) => reader.file(name) !== undefined);
  if (variable === undefined) return;
  throw new Failure(
    `${variable} is set, and npm start does not know TLS: unset it here, or run the control plane by itself ` +
      "(docs/deploy.md, docs/operations.md).",
  );
}

const fromRoot = (path: string): string => (isAbsolute(path) ? path : join(projectRoot, path));
