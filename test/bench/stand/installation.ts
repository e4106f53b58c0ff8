// The control plane and the one Envoy that a benchmark runs against, each on its own core.
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { controlPlanePlan } from "../../../scripts/start/control-plane-process.js";
import { envoyPlan } from "../../../scripts/start/envoy-process.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import type { Stack } from "../../../scripts/start/stack.js";
import { compileFilter } from "../../host/harness/builds/compile-filter.js";
import { benchBootstrap } from "./bench-envoy.js";
import { ENVOY_CORES } from "./cores.js";
import { issueSessions } from "../parts/many-sessions.js";
import { policyText, SMALL_FILTERS, type FilterPath, type Variant } from "./variants.js";

const READY_TIMEOUT_MS = 30_000;
/** Calls of the API a second that the control plane takes: more than anything here makes. */
const API_RATE = "1000000";

export interface Installation {
  readonly envoyPid: number;
  readonly adminPort: number;
  /** Tokens of the sessions that were there from the start. */
  readonly tokens: readonly string[];
  portOf(variant: string): number;
  /** Creates a session; resolves with its token. */
  issue(plan: string): Promise<string>;
}

/** Compiles the small filters, and says where each filter is. */
export async function benchFilters(): Promise<FilterPath> {
  const folder = join(projectRoot, "build/bench-filters");
  mkdirSync(folder, { recursive: true });
  for (const module of SMALL_FILTERS) {
    writeFileSync(join(folder, `${module}.wasm`), await compileFilter(module));
  }
  return (module) => join(module.startsWith("sluice") ? join(projectRoot, "build") : folder, `${module}.wasm`);
}

export interface InstallationOptions {
  readonly folder: string;
  readonly variants: readonly Variant[];
  readonly workers?: number;
  /** Sessions that the control plane has from the start, of the plan with plenty of tokens. */
  readonly sessions?: number;
  /** Cores of Envoy, as taskset writes them. */
  readonly cores?: string;
  /** The port of a service behind all listeners. */
  readonly service?: number | undefined;
}

/** Resolves once every listener answers. Keeps everything below `folder`. */
export async function install(
  stack: Stack,
  { folder, variants, workers = 1, sessions = 0, cores = ENVOY_CORES, service }: InstallationOptions,
): Promise<Installation> {
  mkdirSync(folder, { recursive: true });
  const secret = randomBytes(32).toString("hex");
  const adminToken = randomBytes(24).toString("base64url");
  const [http = 0, statusPort = 0, adminPort = 0, ...ports] = await freePorts(3 + variants.length);
  const dataDir = join(folder, "data");
  const policyFile = join(folder, "policy.yaml");
  writeFileSync(policyFile, policyText());
  const tokens = await issueSessions(dataDir, sessions, secret);
  await stack.start(
    controlPlanePlan({
      ...{ secret, httpPort: http, statusPort, dataDir, policyFile },
      logFile: join(folder, "control-plane.log"),
      env: {
        SLUICE_ADMIN_TOKEN: adminToken,
        SLUICE_API_RATE: API_RATE,
        SLUICE_API_BURST: API_RATE,
        SLUICE_LOG_LEVEL: "warn",
      },
    }),
  );
  const ready = { timeoutMs: READY_TIMEOUT_MS, signal: stack.lost };
  await waitForStatus(`http://127.0.0.1:${statusPort}/readyz`, 200, ready);

  const configFile = join(folder, "envoy.json");
  writeFileSync(configFile, await benchBootstrap({ adminPort, controlPlane: http, ports, variants, service }));
  const plan = envoyPlan({
    binary: await findEnvoy(),
    configFile,
    logFile: join(folder, "envoy.log"),
    secret,
    concurrency: workers,
    cwd: projectRoot,
    logLevel: "warn",
  });
  const envoy = await stack.start({
    ...plan,
    command: "taskset",
    args: ["-c", cores, plan.command, ...plan.args],
  });
  await waitForStatus(`http://127.0.0.1:${adminPort}/ready`, 200, ready);

  const portOf = (variant: string): number => {
    const port = ports[variants.findIndex(({ name }) => name === variant)];
    if (port === undefined) throw new Error(`there is no variant ${variant}`);
    return port;
  };
  const issue = async (planName: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${http}/v1/sessions`, {
      method: "POST",
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      body: JSON.stringify({ userId: "bench", orgId: "bench", plan: planName }),
    });
    if (answer.status !== 201) throw new Error(`a session was answered with ${answer.status}`);
    return ((await answer.json()) as { token: string }).token;
  };
  return { envoyPid: envoy.pid, adminPort, tokens, portOf, issue };
}
