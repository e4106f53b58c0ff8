// The processes of an installation: with which environment, files and ports they run, and when they serve.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CODE_MISSING_SESSION } from "../../../assembly/contract.js";
import { readPolicyDocument } from "../../../control-plane/src/domain/policy/read-policy.js";
import { ecdsFile } from "../../../control-plane/src/render/ecds-file.js";
import { type EdgeSettings, edgeSettings } from "../../../control-plane/src/render/edge-settings.js";
import { until } from "../../../control-plane/test/support/until.js";
import { controlPlanePlan } from "../../../scripts/start/control-plane-process.js";
import { envoyPlan } from "../../../scripts/start/envoy-process.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { waitForAnswer, waitForStatus } from "../../../scripts/start/readiness.js";
import { renderEnvoy } from "../../../scripts/render-envoy.js";
import type { ControlPlaneClient, ControlPlanePorts } from "./control-plane-client.js";
import { Part } from "./part.js";
import type { PolicyDocument } from "./policy.js";

/** Of what an installation has one of. */
export interface SharedPorts extends ControlPlanePorts {
  readonly upstream: number;
}

export interface EdgePorts {
  readonly proxy: number;
  readonly admin: number;
}

export interface Ports extends SharedPorts, EdgePorts {}

/** What the parts of one installation share. */
export interface Site<Known = Ports> {
  readonly folder: string;
  readonly ports: Known;
  readonly secret: string;
}

/** What the Envoys of an installation are configured with. */
export interface EdgeSetup {
  readonly filterPath: string;
  readonly settings: EdgeSettings;
  /** Whether Envoy takes the filter from a file that it follows, so that `replaceFilter` can change it. */
  readonly followed: boolean;
  /** Whether it counts as started only once its filter serves a policy. */
  readonly awaitPolicy: boolean;
}

export const WORKERS = 2;
/** That the filter serves a policy: without one it answers 503. */
const SERVES = { status: 401, text: CODE_MISSING_SESSION };
const READY_TIMEOUT_MS = 60_000;

const policyFile = (folder: string): string => join(folder, "policy.yaml");

/** Renamed into its folder, as a careful editor does, so that no half of it is ever read. */
export function writePolicy(folder: string, policy: PolicyDocument | string): void {
  const file = policyFile(folder);
  writeFileSync(`${file}.new`, typeof policy === "string" ? policy : JSON.stringify(policy, null, 2));
  renameSync(`${file}.new`, file);
}

/** The file of the filter that the Envoys follow; renamed into its folder, which they watch. */
const filterFile = (folder: string): string => join(folder, "filter.yaml");

export function replaceFilter(
  folder: string,
  { filterPath, settings }: Omit<EdgeSetup, "followed" | "awaitPolicy">,
): void {
  const file = filterFile(folder);
  writeFileSync(`${file}.new`, JSON.stringify(ecdsFile({ filterPath, settings })));
  renameSync(`${file}.new`, file);
}

/** @param policy holds until the control plane's is there, or with `follow` false for good */
export function settingsWith(tableCapacity?: number, policy?: PolicyDocument, follow?: boolean): EdgeSettings {
  if (policy === undefined) return edgeSettings({ tableCapacity });
  const result = readPolicyDocument(JSON.stringify(policy));
  if (!("policy" in result)) throw new Error(`this is no policy: ${JSON.stringify(result.violations)}`);
  return edgeSettings({ tableCapacity, policy: result.policy, follow });
}

/** @param env more of its environment, the admin token among it */
export function controlPlanePart(
  { folder, ports, secret }: Site<SharedPorts>,
  env: Readonly<Record<string, string>>,
  api: ControlPlaneClient,
): Part {
  const plan = controlPlanePlan({
    ...{ secret, httpPort: ports.http, statusPort: ports.status },
    dataDir: join(folder, "data"),
    policyFile: policyFile(folder),
    logFile: join(folder, "control-plane.log"),
    env: { SLUICE_LOG_LEVEL: "debug", ...env },
  });
  return new Part(plan, async (ended) => {
    await until(async () => {
      if (ended.aborted) return;
      const status = await api.probe("/readyz");
      if (status !== 200) throw new Error(`the control plane answers ${status} to /readyz`);
    });
    ended.throwIfAborted();
  });
}

/**
 * @param nodeId what the control plane knows it by
 * @param bootstrap changes the YAML that Envoy is started with
 */
export async function envoyPart(
  site: Site,
  nodeId: string,
  setup: EdgeSetup,
  bootstrap: (yaml: string) => string,
): Promise<Part> {
  const { folder, ports, secret } = site;
  const { filterPath, settings, followed, awaitPolicy } = setup;
  if (followed) replaceFilter(folder, setup);
  const yaml = await renderEnvoy({
    nodeId,
    proxyPort: ports.proxy,
    adminPort: ports.admin,
    upstream: { host: "127.0.0.1", port: ports.upstream },
    controlPlane: { host: "127.0.0.1", port: ports.http },
    filterPath,
    settings,
    followedFile: followed ? filterFile(folder) : undefined,
  });
  const configFile = join(folder, `${nodeId}.yaml`);
  writeFileSync(configFile, bootstrap(yaml));
  const plan = envoyPlan({
    binary: await findEnvoy(),
    configFile,
    logFile: join(folder, `${nodeId}.log`),
    secret,
    concurrency: WORKERS,
  });
  return new Part(plan, async (signal) => {
    const limits = { timeoutMs: READY_TIMEOUT_MS, signal };
    await waitForStatus(`http://127.0.0.1:${ports.admin}/ready`, 200, limits);
    if (awaitPolicy) await waitForAnswer(`http://127.0.0.1:${ports.proxy}/`, SERVES, limits);
  });
}
