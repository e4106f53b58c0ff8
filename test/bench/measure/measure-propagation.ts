// npm run measure:propagation [-- revocations]: how long a revocation takes from its 204 to the first denial at each of
// two Envoys, beside the control plane's own round trip. Answers are counted when they have arrived here.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, Failure } from "../../../scripts/failure.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { call, endCalls } from "../stand/http-call.js";
import { startPropagationStack, type PropagationStack } from "./propagation-stack.js";
import { Stack } from "../../../scripts/start/stack.js";

const DEFAULT_REVOCATIONS = 200;
/** So that what one revocation leaves to do at the edges is not measured with the next. */
const BETWEEN_REVOCATIONS_MS = 100;
const WATCHING_TIMEOUT_MS = 30_000;
/** A session that is still admitted by then will be for ever. */
const DENIED_WITHIN_MS = 30_000;

/** Until each edge runs the policy and has a watch held: before that it would learn of nothing. */
async function bothWatch({ controlPlane, edges, adminToken }: PropagationStack): Promise<void> {
  const end = performance.now() + WATCHING_TIMEOUT_MS;
  for (;;) {
    const { text } = await call("GET", `${controlPlane}/v1/edges`, { authorization: `Bearer ${adminToken}` });
    const known = (JSON.parse(text) as { edges: { watching: boolean; state: string }[] }).edges;
    const watching = known.filter((one) => one.watching && one.state === "current");
    if (watching.length === edges.length) return;
    if (performance.now() > end) throw new Failure(`${watching.length} of ${edges.length} edges watch: ${text}`);
    await delay(100);
  }
}

/** Revokes one session that both edges hold. Answers, for each edge, the ms from the 204 to the first denial. */
async function revokeOne({ controlPlane, edges, adminToken }: PropagationStack): Promise<number[]> {
  const admin = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
  const created = await call("POST", `${controlPlane}/v1/sessions`, admin, '{"userId":"u","orgId":"o"}');
  if (created.status !== 201) throw new Failure(`a session was answered with ${created.status}: ${created.text}`);
  const { session, token } = JSON.parse(created.text) as { session: { id: string }; token: string };
  const client = { "x-session-id": token };
  for (const { name, url } of edges) {
    const { status } = await call("GET", url, client);
    if (status !== 200) throw new Failure(`${name} answered ${status} to a session that is live`);
  }
  let revokedAt = Infinity;
  const deniedAt = edges.map(async ({ name, url }) => {
    while ((await call("GET", url, client)).status !== 401) {
      if (performance.now() - revokedAt > DENIED_WITHIN_MS) throw new Failure(`${name} admits a revoked session`);
    }
    return performance.now();
  });
  const revoked = await call("DELETE", `${controlPlane}/v1/sessions/${session.id}`, {
    authorization: admin.authorization,
  });
  revokedAt = performance.now();
  if (revoked.status !== 204) throw new Failure(`the revocation was answered with ${revoked.status}`);
  return (await Promise.all(deniedAt)).map((at) => Math.max(0, at - revokedAt));
}

async function roundTrips({ status }: PropagationStack, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedAt = performance.now();
    await call("GET", `${status}/healthz`);
    times.push(performance.now() - startedAt);
  }
  return times;
}

function show(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN).toFixed(2).padStart(8);
  console.log(`${what.padEnd(34)} n ${String(times.length).padStart(4)}  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms`);
}

async function measure(running: PropagationStack, revocations: number): Promise<void> {
  await bothWatch(running);
  show("round trip, GET /healthz", await roundTrips(running, revocations));
  const byEdge: number[][] = running.edges.map(() => []);
  for (let i = 0; i < revocations; i++) {
    for (const [edge, ms] of (await revokeOne(running)).entries()) byEdge[edge]?.push(ms);
    await delay(BETWEEN_REVOCATIONS_MS);
  }
  for (const [i, { name }] of running.edges.entries()) show(`204 to first denial, ${name}`, byEdge[i] ?? []);
  show("204 to first denial, both", byEdge.flat());
  const { text } = await call("GET", `${running.status}/metrics`);
  const lines = text
    .split("\n")
    .filter((line) => /^sluice_control_revocation_propagation_seconds_(sum|count)/.test(line));
  for (const line of lines) console.log(line);
}

async function main(): Promise<void> {
  const revocations = Number(process.argv[2] ?? DEFAULT_REVOCATIONS);
  if (!Number.isInteger(revocations) || revocations < 1)
    throw new Failure("expected a number of revocations, from 1 on");
  const folder = mkdtempSync(join(tmpdir(), "sluice-propagation-"));
  const stack = new Stack();
  let done = false;
  try {
    const binary = await findEnvoy();
    await measure(await startPropagationStack(stack, binary, folder), revocations);
    done = true;
  } finally {
    await stack.stop();
    endCalls();
    if (done) rmSync(folder, { recursive: true, force: true });
    else console.error(`sluice: logs are in ${folder}`);
  }
}

await main().catch((error: unknown) => {
  console.error(`sluice: ${describe(error)}`);
  process.exitCode = 1;
});
