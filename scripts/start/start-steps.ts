// The steps of npm start: prepare the data folder, then start each child and wait until it really serves.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CODE_MISSING_SESSION } from "../../assembly/contract.js";
import { readSecret } from "../../control-plane/src/domain/keys.js";
import type { Policy } from "../../control-plane/src/domain/policy/policy.js";
import { hostPort, reachable } from "../../control-plane/src/settings/address.js";
import type { Environment } from "../../control-plane/src/settings/environment.js";
import type { SecretFile } from "../../control-plane/src/settings/secret-files.js";
import { controlPlanePlan } from "./control-plane-process.js";
import { envoyPlan } from "./envoy-process.js";
import { Failure } from "../failure.js";
import { filterBuildFor, forgetOldFilters, versionedFilter } from "../filter-file.js";
import { requirePolicy } from "./policy-file.js";
import { projectRoot } from "../project-root.js";
import { hasReported } from "./reported-policy.js";
import { waitForAnswer, waitForStatus, type Wanted } from "./readiness.js";
import { renderEnvoy } from "../render-envoy.js";
import { keptSecret, makePrivateFolder } from "./secret-files.js";
import { LOOPBACK, type Settings } from "./settings.js";
import type { Stack } from "./stack.js";

/** What a start was given. */
interface Given {
  settings: Settings;
  envoyBinary: string;
  /** With each secret in its own variable. */
  env: Environment;
  /** Which secrets stood in files. */
  secretFiles: ReadonlyMap<string, SecretFile>;
}

/** What the children are started with. */
export interface Launch {
  settings: Settings;
  env: Environment;
  secret: string;
  adminToken: string;
  /** Where the admin token stands; undefined if the user's environment has it. */
  adminTokenFile: string | undefined;
  logDir: string;
  policy: Policy;
  envoyBinary: string;
  envoyConfigFile: string;
}

const READY_TIMEOUT_MS = 30_000;
const NODE_ID = "sluice-edge";
const WORKERS = 2;

/** Writes what the children read. Rejects with a Failure for a secret or a policy that cannot be used. */
export async function prepare({ settings, envoyBinary, env, secretFiles }: Given): Promise<Launch> {
  const { dataDir } = settings;
  requireSecret(settings.secret, secretFiles.get("SLUICE_SECRET")?.variable ?? "SLUICE_SECRET");
  const policy = await requirePolicy(settings.policyFile);
  makePrivateFolder(dataDir);
  const logDir = join(dataDir, "logs");
  // Each start begins its logs anew, so that they do not grow for ever.
  rmSync(logDir, { recursive: true, force: true });
  mkdirSync(logDir);

  const secret = settings.secret ?? (await keptSecret(dataDir, "secret", "base64"));
  const adminToken = settings.adminToken ?? (await keptSecret(dataDir, "admin-token", "base64url"));
  const filterPath = versionedFilter(join(projectRoot, "build", filterBuildFor(policy)), join(dataDir, "filter"));
  forgetOldFilters(filterPath);
  const envoyConfigFile = join(dataDir, "envoy.yaml");
  writeFileSync(envoyConfigFile, await envoyConfig(settings, filterPath));
  const adminTokenFile =
    settings.adminToken === undefined ? join(dataDir, "admin-token") : secretFiles.get("SLUICE_ADMIN_TOKEN")?.path;
  return { settings, env, secret, adminToken, adminTokenFile, logDir, policy, envoyBinary, envoyConfigFile };
}

/** @throws Failure when the text cannot be a secret; it is not repeated in the message. */
function requireSecret(text: string | undefined, variable: string): void {
  const reading = text === undefined ? undefined : readSecret(text);
  if (reading?.ok === false) throw new Failure(`${variable} ${reading.violation}.`);
}

function envoyConfig(settings: Settings, filterPath: string): Promise<string> {
  return renderEnvoy({
    proxyPort: settings.proxyPort,
    adminPort: settings.envoyAdminPort,
    bind: settings.proxyHost,
    upstream: { host: LOOPBACK, port: settings.upstreamPort },
    controlPlane: reachable({ host: settings.httpHost, port: settings.httpPort }),
    nodeId: NODE_ID,
    filterPath,
  });
}

export async function startDemoService(stack: Stack, { settings, logDir }: Launch): Promise<void> {
  await stack.start({
    name: "The demo service",
    command: process.execPath,
    args: [join(projectRoot, "build/js/scripts/start/demo-service.js")],
    env: { SLUICE_UPSTREAM_PORT: String(settings.upstreamPort) },
    logFile: join(logDir, "demo-service.log"),
  });
  await ready(stack, `http://${LOOPBACK}:${settings.upstreamPort}/`, 200);
}

export const controlPlaneLog = ({ logDir }: Launch): string => join(logDir, "control-plane.log");

export async function startControlPlane(stack: Stack, launch: Launch): Promise<void> {
  const { settings, secret, adminToken } = launch;
  const plan = controlPlanePlan({
    ...{ secret, httpPort: settings.httpPort, statusPort: settings.statusPort },
    ...{ dataDir: settings.dataDir, policyFile: settings.policyFile },
    logFile: controlPlaneLog(launch),
    env: {
      SLUICE_ADMIN_TOKEN: adminToken,
      SLUICE_HTTP_HOST: settings.httpHost,
      SLUICE_STATUS_HOST: settings.statusHost,
      SLUICE_LOG_LEVEL: settings.logLevel,
    },
  });
  await stack.start({ ...plan, env: { ...launch.env, ...plan.env } });
  await ready(stack, `${statusUrl(settings)}/readyz`, 200);
}

export async function startEnvoy(stack: Stack, launch: Launch): Promise<void> {
  const { settings, secret, adminToken, policy, envoyBinary, envoyConfigFile, logDir } = launch;
  const envoy = envoyPlan({
    binary: envoyBinary,
    configFile: envoyConfigFile,
    logFile: join(logDir, "envoy.log"),
    secret,
    secretAlso: settings.secretAlso,
    concurrency: WORKERS,
    cwd: projectRoot,
  });
  const startedAt = Date.now();
  await stack.start(envoy);
  await ready(stack, `http://${LOOPBACK}:${settings.envoyAdminPort}/ready`, 200);
  const limits = { timeoutMs: READY_TIMEOUT_MS, signal: stack.lost };
  await waitForAnswer(`${proxyUrl(settings)}/`, answerUnder(policy), limits);
  // What the proxy answers does not say whose policy that is, nor that revocations arrive.
  const headers = { authorization: `Bearer ${firstOf(adminToken)}` };
  const holds = (text: string): boolean => hasReported(text, NODE_ID, startedAt);
  const wanted = { status: 200, headers, holds, meaning: `that ${NODE_ID} has reported its policy` };
  await waitForAnswer(`${controlPlaneUrl(settings)}/v1/edges`, wanted, limits);
}

/**
 * What a request without a session gets once the filter has the policy: until then it gets 503. Not the demo service's
 * 200, unless the policy lets such requests pass, or may: its routes say.
 */
function answerUnder({ enforcement, routes }: Policy): Wanted {
  if (routes.some(({ match }) => match.path === null || match.path === "/")) return { status: [200, 401] };
  const passes = enforcement === "observe" || enforcement === "off";
  return passes ? { status: 200 } : { status: 401, text: CODE_MISSING_SESSION };
}

/** A session for the lines that the user is shown. */
export async function demoSession({ settings, adminToken }: Launch): Promise<{ token: string }> {
  const answer = await fetch(`${controlPlaneUrl(settings)}/v1/sessions`, {
    method: "POST",
    headers: { authorization: `Bearer ${firstOf(adminToken)}`, "content-type": "application/json" },
    body: JSON.stringify({ userId: "demo-user", orgId: "demo-org" }),
  });
  const body: unknown = await answer.json();
  if (answer.status === 201 && isSession(body)) return { token: body.token };
  throw new Failure(
    `The control plane answered the request for a first session with ${answer.status}: ${JSON.stringify(body)}`,
  );
}

/** Several tokens may be set, with commas between them. */
function firstOf(adminTokens: string): string {
  return (adminTokens.split(",")[0] ?? "").trim();
}

export function controlPlaneUrl({ httpHost, httpPort }: Settings): string {
  return `http://${hostPort(reachable({ host: httpHost, port: httpPort }))}`;
}

/** Where the control plane's health, readiness and metrics are. */
export function statusUrl({ statusHost, statusPort }: Settings): string {
  return `http://${hostPort(reachable({ host: statusHost, port: statusPort }))}`;
}

export function proxyUrl({ proxyHost, proxyPort }: Settings): string {
  return `http://${hostPort(reachable({ host: proxyHost, port: proxyPort }))}`;
}

function ready(stack: Stack, url: string, status: number): Promise<void> {
  return waitForStatus(url, status, { timeoutMs: READY_TIMEOUT_MS, signal: stack.lost });
}

function isSession(body: unknown): body is { token: string } {
  return typeof body === "object" && body !== null && "token" in body && typeof body.token === "string";
}
