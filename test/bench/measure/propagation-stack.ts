// What propagation is measured on: a service, a control plane and two Envoys of two workers each.
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CODE_MISSING_SESSION } from "../../../assembly/contract.js";
import { controlPlanePlan } from "../../../scripts/start/control-plane-process.js";
import { envoyPlan } from "../../../scripts/start/envoy-process.js";
import { versionedFilter } from "../../../scripts/filter-file.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { waitForAnswer, waitForStatus } from "../../../scripts/start/readiness.js";
import { renderEnvoy } from "../../../scripts/render-envoy.js";
import type { Stack } from "../../../scripts/start/stack.js";
import type { ProcessPlan } from "../../../scripts/start/supervised-process.js";

const LOOPBACK = "127.0.0.1";
const EDGES = ["edge-1", "edge-2"] as const;
export const WORKERS = 2;
const READY_TIMEOUT_MS = 30_000;
/** So many tokens that no request of the measurement is denied for want of them. */
const POLICY = "version: 1\nplans:\n  - { id: 0, name: measured, maxTokens: 9000000, tokenRefillRate: 1000000 }\n";

export interface PropagationStack {
  /** `http://127.0.0.1:port` of each. */
  readonly controlPlane: string;
  /** Of its health, readiness and metrics. */
  readonly status: string;
  readonly edges: readonly { readonly name: string; readonly url: string }[];
  readonly adminToken: string;
  readonly policyFile: string;
  readonly edgeSetup: EdgeSetup;
}

/** What an Envoy beside this control plane is started with. */
export interface EdgeSetup {
  readonly binary: string;
  readonly folder: string;
  readonly filterPath: string;
  readonly secret: string;
  readonly http: number;
  readonly upstream: number;
}

/** How an Envoy of two workers is run whose settings have no policy. Writes its bootstrap. */
export async function edgePlan(
  edgeSetup: EdgeSetup,
  name: string,
  proxyPort: number,
  adminPort: number,
): Promise<ProcessPlan> {
  const { binary, folder, filterPath, secret } = edgeSetup;
  const configFile = join(folder, `${name}.yaml`);
  const rendered = await renderEnvoy({
    ...{ proxyPort, adminPort, filterPath, nodeId: name },
    upstream: { host: LOOPBACK, port: edgeSetup.upstream },
    controlPlane: { host: LOOPBACK, port: edgeSetup.http },
  });
  writeFileSync(configFile, rendered);
  const logFile = join(folder, `${name}.log`);
  return envoyPlan({ binary, configFile, logFile, secret, concurrency: WORKERS, cwd: projectRoot });
}

/** Resolves once each Envoy's filter serves the policy. Keeps everything below `folder`. */
export async function startPropagationStack(stack: Stack, binary: string, folder: string): Promise<PropagationStack> {
  mkdirSync(folder, { recursive: true });
  const policyFile = join(folder, "policy.yaml");
  writeFileSync(policyFile, POLICY);
  const secret = randomBytes(32).toString("hex");
  const adminToken = randomBytes(24).toString("base64url");
  const filterPath = versionedFilter(join(projectRoot, "build/sluice.wasm"), join(folder, "filter"));
  const [http = 0, statusPort = 0, upstream = 0, ...edgePorts] = await freePorts(3 + 2 * EDGES.length);
  const limits = { timeoutMs: READY_TIMEOUT_MS, signal: stack.lost };

  await stack.start({
    name: "The demo service",
    command: process.execPath,
    args: [join(projectRoot, "build/js/scripts/start/demo-service.js")],
    env: { SLUICE_UPSTREAM_PORT: String(upstream) },
    logFile: join(folder, "demo-service.log"),
  });
  await stack.start(
    controlPlanePlan({
      ...{ secret, httpPort: http, statusPort, policyFile },
      dataDir: join(folder, "data"),
      logFile: join(folder, "control-plane.log"),
      env: { SLUICE_ADMIN_TOKEN: adminToken },
    }),
  );
  const controlPlane = `http://${LOOPBACK}:${http}`;
  const status = `http://${LOOPBACK}:${statusPort}`;
  await waitForStatus(`${status}/readyz`, 200, limits);

  const edgeSetup = { binary, folder, filterPath, secret, http, upstream };
  const edges = EDGES.map((name, i) => ({ name, proxy: edgePorts[2 * i] ?? 0, admin: edgePorts[2 * i + 1] ?? 0 }));
  for (const { name, proxy, admin } of edges) {
    await stack.start(await edgePlan(edgeSetup, name, proxy, admin));
  }
  const served = { status: 401, text: CODE_MISSING_SESSION };
  for (const { proxy } of edges) await waitForAnswer(`http://${LOOPBACK}:${proxy}/`, served, limits);
  const urls = edges.map(({ name, proxy }) => ({ name, url: `http://${LOOPBACK}:${proxy}` }));
  return { controlPlane, status, edges: urls, adminToken, policyFile, edgeSetup };
}
