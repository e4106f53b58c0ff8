// The processes of an installation: with which environment, files and ports they run, and when they serve.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { controlPlanePlan } from "../../../scripts/control-plane-process.js";
import { envoyPlan } from "../../../scripts/envoy-process.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { policyJsonOf } from "../../../scripts/policy-json.js";
import { waitForStatus } from "../../../scripts/readiness.js";
import { renderEnvoy } from "../../../scripts/render-envoy.js";
import type { ControlPlaneClient } from "./control-plane-client.js";
import { Part } from "./part.js";
import type { PolicyDocument } from "./policy.js";
import { until } from "./until.js";

/** Of what an installation has one of. */
export interface SharedPorts {
  readonly http: number;
  readonly xds: number;
  readonly upstream: number;
}

export interface EdgePorts {
  readonly proxy: number;
  readonly admin: number;
}

export interface Ports extends SharedPorts, EdgePorts {}

/** What the parts of one installation share. */
export interface Place<Known = Ports> {
  readonly folder: string;
  readonly ports: Known;
  readonly secret: string;
  readonly filterPath: string;
}

export const WORKERS = 2;
const READY_TIMEOUT_MS = 60_000;

const policyFile = (folder: string): string => join(folder, "policy.yaml");

/** Renamed into place, as a careful editor does, so that no half of it is ever read. */
export function writePolicy(folder: string, policy: PolicyDocument | string): void {
  const file = policyFile(folder);
  writeFileSync(`${file}.new`, typeof policy === "string" ? policy : JSON.stringify(policy, null, 2));
  renameSync(`${file}.new`, file);
}

/** @param env more of its environment, the admin token among it */
export function controlPlanePart(
  { folder, ports, secret, filterPath }: Place<SharedPorts>,
  env: Readonly<Record<string, string>>,
  api: ControlPlaneClient,
): Part {
  const plan = controlPlanePlan({
    ...{ secret, filterPath, httpPort: ports.http, xdsPort: ports.xds },
    dataDir: join(folder, "data"),
    policyFile: policyFile(folder),
    logFile: join(folder, "control-plane.log"),
    env: { SLUICE_LOG_LEVEL: "debug", ...env },
  });
  return new Part(plan, async (ended) => {
    await until(async () => {
      if (ended.aborted) return;
      const { status } = await api.call("GET", "/readyz");
      if (status !== 200) throw new Error(`the control plane answers ${status} to /readyz`);
    });
    ended.throwIfAborted();
  });
}

/**
 * @param nodeId what the control plane knows it by
 * @param bootstrap changes the YAML that Envoy is started with
 */
export async function envoyPart(place: Place, nodeId: string, bootstrap: (yaml: string) => string): Promise<Part> {
  const { folder, ports, secret, filterPath } = place;
  const yaml = renderEnvoy({
    nodeId,
    proxyPort: ports.proxy,
    adminPort: ports.admin,
    upstream: { host: "127.0.0.1", port: ports.upstream },
    controlPlane: { host: "127.0.0.1", httpPort: ports.http, xdsPort: ports.xds },
    filterPath,
    policyJson: policyJsonOf(policyFile(folder)),
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
    // Not the upstream's 200: the filter itself must answer.
    await waitForStatus(`http://127.0.0.1:${ports.proxy}/`, 401, limits);
  });
}
