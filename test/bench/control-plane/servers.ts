// The two servers side by side: the control plane as it is shipped, and the bare one, each with a store on the disk.
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { deriveKeys } from "../../../control-plane/src/domain/keys.js";
import { controlPlanePlan, NODE_FLAGS } from "../../../scripts/start/control-plane-process.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import type { Stack } from "../../../scripts/start/stack.js";
import type { ProcessPlan } from "../../../scripts/start/supervised-process.js";
import { fillStores, POLICY } from "./stored-sessions.js";

const READY_TIMEOUT_MS = 30_000;
/** The API's rate is taken like any request's, and never reached. */
const UNREACHED_RATE = "1000000";

export interface Server {
  readonly pid: number;
  readonly port: number;
}

export interface Servers {
  readonly controlPlane: Server;
  /** Of the control plane's health. */
  readonly statusPort: number;
  readonly bare: Server;
  /** Values of `authorization`. */
  readonly edge: string;
  readonly admin: string;
  /** As SLUICE_SECRET holds it. */
  readonly secret: string;
  /** Of the sessions that both hold. */
  readonly sessionIds: readonly string[];
}

export interface ServerOptions {
  /** Where stores and logs are. */
  readonly folder: string;
  readonly sessions: number;
  /** In front of the command line. */
  readonly prefix: readonly string[];
  /** For node. */
  readonly flags: readonly string[];
}

export async function startServers(stack: Stack, options: ServerOptions): Promise<Servers> {
  const { folder, sessions } = options;
  const [http = 0, status = 0, barePort = 0] = await freePorts(3);
  const policyFile = join(folder, "policy.yaml");
  writeFileSync(policyFile, POLICY);
  const bareFile = join(folder, "bare", "store.mdb");
  mkdirSync(dirname(bareFile));
  const sessionIds = await fillStores(join(folder, "data"), bareFile, sessions);
  const secretBytes = randomBytes(32);
  const secret = secretBytes.toString("hex");
  const adminToken = randomBytes(24).toString("base64url");

  const start = async (plan: ProcessPlan, port: number, healthPort: number): Promise<Server> => {
    const [command = "", ...args] = [...options.prefix, plan.command, ...options.flags, ...plan.args];
    const env = { PATH: process.env.PATH, ...plan.env };
    const { pid } = await stack.start({ ...plan, command, args, env, cwd: folder });
    const ready = { timeoutMs: READY_TIMEOUT_MS, signal: stack.lost };
    await waitForStatus(`http://127.0.0.1:${healthPort}/healthz`, 200, ready);
    return { pid, port };
  };
  const plan = controlPlanePlan({
    ...{ secret, httpPort: http, statusPort: status, policyFile },
    dataDir: join(folder, "data"),
    logFile: join(folder, "control-plane.log"),
    env: { SLUICE_ADMIN_TOKEN: adminToken, SLUICE_API_RATE: UNREACHED_RATE, SLUICE_API_BURST: UNREACHED_RATE },
  });
  const barePlan: ProcessPlan = {
    name: "The bare server",
    command: process.execPath,
    // As the control plane: what is compared is what the programs do.
    args: [...NODE_FLAGS, join(import.meta.dirname, "bare-server.js")],
    env: { BENCH_PORT: String(barePort), BENCH_STORE: bareFile },
    logFile: join(folder, "bare-server.log"),
  };
  const controlPlane = await start(plan, http, status);
  const bare = await start(barePlan, barePort, barePort);
  const [edge, admin] = [`Bearer ${deriveKeys(secretBytes).edgeCredential}`, `Bearer ${adminToken}`];
  return { controlPlane, statusPort: status, bare, edge, admin, secret, sessionIds };
}
