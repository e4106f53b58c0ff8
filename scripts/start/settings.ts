// What the environment says about `npm start`, validated at once and with the variable's name in every message.
import { isAbsolute, join } from "node:path";
import { Failure } from "../failure.js";
import type { WantedPort } from "./ports.js";
import { projectRoot } from "../project-root.js";

export interface Settings {
  /** Where clients connect. The admin interface and the demo service have no such setting here. */
  proxyHost: string;
  proxyPort: number;
  envoyAdminPort: number;
  httpHost: string;
  httpPort: number;
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

type Environment = Readonly<Record<string, string | undefined>>;

/** Of the control plane; `none` takes a file away. */
const TLS_VARIABLE = /^SLUICE_(HTTP_)?TLS_(CERT|KEY|CLIENT_CA)_FILE$/;
const NO_FILE = "none";

/** @throws Failure naming the first variable that cannot be right. */
export function readSettings(env: Environment): Settings {
  rejectTls(env);
  const settings: Settings = {
    proxyHost: given(env, "SLUICE_PROXY_HOST") ?? LOOPBACK,
    proxyPort: port(env, "SLUICE_PROXY_PORT", 10000),
    envoyAdminPort: port(env, "SLUICE_ENVOY_ADMIN_PORT", 9901),
    httpHost: given(env, "SLUICE_HTTP_HOST") ?? LOOPBACK,
    httpPort: port(env, "SLUICE_HTTP_PORT", 8080),
    upstreamPort: port(env, "SLUICE_UPSTREAM_PORT", 8000),
    dataDir: path(env, "SLUICE_DATA_DIR", ".sluice"),
    policyFile: path(env, "SLUICE_POLICY", "policy.yaml"),
    secret: given(env, "SLUICE_SECRET"),
    secretAlso: given(env, "SLUICE_SECRET_ALSO"),
    adminToken: given(env, "SLUICE_ADMIN_TOKEN"),
    logLevel: given(env, "SLUICE_LOG_LEVEL") ?? "info",
  };
  requireDifferent(wantedPorts(settings));
  return settings;
}

/** Every port that a start listens on. */
export function wantedPorts(settings: Settings): WantedPort[] {
  const { proxyHost, proxyPort, envoyAdminPort, httpHost, httpPort, upstreamPort } = settings;
  return [
    { host: proxyHost, port: proxyPort, purpose: "the proxy", variable: "SLUICE_PROXY_PORT" },
    { host: LOOPBACK, port: envoyAdminPort, purpose: "Envoy's admin interface", variable: "SLUICE_ENVOY_ADMIN_PORT" },
    { host: httpHost, port: httpPort, purpose: "the control plane", variable: "SLUICE_HTTP_PORT" },
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
function rejectTls(env: Environment): void {
  const variable = Object.keys(env).find(
    (name) => TLS_VARIABLE.test(name) && (given(env, name) ?? NO_FILE) !== NO_FILE,
  );
  if (variable === undefined) return;
  throw new Failure(
    `${variable} is set, and npm start does not know TLS: unset it here, or run the control plane by itself ` +
      "(docs/deploy.md, docs/operations.md).",
  );
}

/** An empty variable is as good as none: that is how shells and Compose files unset one. */
function given(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === "" ? undefined : value;
}

function port(env: Environment, name: string, otherwise: number): number {
  const text = given(env, name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 65535) throw new Failure(`${name} must be a port from 1 to 65535, got "${text}".`);
  return value;
}

function path(env: Environment, name: string, otherwise: string): string {
  const value = given(env, name) ?? otherwise;
  return isAbsolute(value) ? value : join(projectRoot, value);
}
