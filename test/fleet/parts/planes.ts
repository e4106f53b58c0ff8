// Two control planes over the store, and the balancer in front of them that the Envoys call.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { controlPlanePlan } from "../../../scripts/start/control-plane-process.js";
import { Failure } from "../../../scripts/failure.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import { Balancer } from "../../e2e/harness/balancer.js";
import { ControlPlaneClient } from "../../e2e/harness/control-plane-client.js";
import { Part } from "../../e2e/harness/part.js";
import { type Scope, SCOPES } from "../arguments.js";
import type { Bucket } from "../figures/windows.js";
import type { Site } from "./site.js";

/** Of a session. */
export const BUCKET: Bucket = { max: 100, perSecond: 100 };
const READY_TIMEOUT_MS = 60_000;
const ASK_AGAIN_MS = 50;
/** An answer may take longer where everything runs on one machine; whom nothing is known of waits for it. */
const ACQUIRE_TIMEOUT_MS = 1000;

export interface ControlPlane {
  readonly part: Part;
  readonly api: ControlPlaneClient;
  readonly ports: { readonly http: number; readonly status: number };
  readonly policyFile: string;
}

/** A plan of each scope, which has the scope's name. */
const POLICY = {
  ...{ version: 1, onUnreachable: "deny", controlPlane: { acquireTimeout: ACQUIRE_TIMEOUT_MS } },
  plans: Object.keys(SCOPES).map((scope, id) => planOf(id, scope as Scope)),
};

function planOf(id: number, scope: Scope): object {
  return { id, name: scope, scope, maxTokens: BUCKET.max, tokenRefillRate: BUCKET.perSecond };
}

export interface PlaneOptions {
  readonly store: string;
  /** What is only of this one. */
  readonly env: Readonly<Record<string, string>>;
  /** Not given: that of the runs that are measured. */
  readonly policy?: object;
}

export async function startPlane(
  { folder, secret, adminToken, ends }: Site,
  name: string,
  { store, env, policy = POLICY }: PlaneOptions,
): Promise<ControlPlane> {
  const own = join(folder, name);
  mkdirSync(own);
  const policyFile = join(own, "policy.json");
  writeFileSync(policyFile, JSON.stringify(policy));
  const [http = 0, status = 0] = await freePorts(2);
  const plan = controlPlanePlan({
    ...{ secret, policyFile, httpPort: http, statusPort: status, dataDir: own },
    logFile: join(own, "log"),
    env: { SLUICE_ADMIN_TOKEN: adminToken, SLUICE_STORE: store, ...env },
  });
  // A store that is shared has no folder.
  const part = new Part({ ...plan, name, env: { ...plan.env, SLUICE_DATA_DIR: undefined } }, (signal) =>
    waitForStatus(`http://127.0.0.1:${status}/readyz`, 200, { timeoutMs: READY_TIMEOUT_MS, signal }),
  );
  await ends.add(() => part.stop());
  await part.start();
  const ports = { http, status };
  return { part, ports, policyFile, api: new ControlPlaneClient(ports, adminToken) };
}

/** Resolves with its port once it calls each of them. */
export async function startBalancer(planes: readonly ControlPlane[], { ends }: Site): Promise<number> {
  const balancer = await Balancer.start(planes.map(({ ports }) => ports));
  await ends.add(() => balancer.stop());
  const giveUp = AbortSignal.timeout(READY_TIMEOUT_MS);
  while ((await balancer.ready()) < planes.length) {
    if (giveUp.aborted) throw new Failure("the balancer does not take the control planes for ready");
    await delay(ASK_AGAIN_MS);
  }
  return balancer.port;
}
