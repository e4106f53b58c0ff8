// What happens to a monitored installation beside its traffic, and what goes wrong with it: each once, begun and over when it
// resolves.
import { renameSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Monitored } from "./monitored.js";
import { dashboardPolicy } from "./policy.js";
import type { Traffic } from "./traffic.js";

/** Calls of each control plane at a time, on one session. */
const RIVALS = 8;

/** One of the sessions in use ends, and another one is used in its place. */
export async function revocation({ planes: [{ api }] }: Monitored, { passersBy }: Traffic): Promise<void> {
  const [oldest] = passersBy.splice(0, 1, await api.issue("free", { userId: "visitor", orgId: "o2" }));
  if (oldest !== undefined) await api.revoke(oldest.id);
}

/** Saved where both control planes read it. */
export function newPolicy({ planes }: Monitored, goldRate: number): Promise<void> {
  for (const { policyFile } of planes) {
    writeFileSync(`${policyFile}.new`, JSON.stringify(dashboardPolicy(goldRate)));
    renameSync(`${policyFile}.new`, policyFile);
  }
  return Promise.resolve();
}

/** Both control planes decide on one session until one of them has come before the other. */
export async function conflict({ planes }: Monitored): Promise<void> {
  const { id } = await planes[0].api.issue("gold");
  const counted = async (): Promise<boolean> => {
    const texts = await Promise.all(planes.map(({ api }) => api.metricsText()));
    return texts.some((text) => text.includes("sluice_control_store_conflicts_total{"));
  };
  const consume = ({ api }: Monitored["planes"][0]): Promise<unknown> =>
    api.call("POST", `/v1/sessions/${id}/consume`, { count: 1 });
  do {
    await Promise.all(planes.flatMap((plane) => Array.from({ length: RIVALS }, () => consume(plane))));
  } while (!(await counted()));
}

/** A caller of edges' calls with another secret, and an operator who asks for a session that there never was. */
export async function wrongCallers({ planes: [{ api }] }: Monitored): Promise<void> {
  const call = { edge: "gateway-x", instance: "a".repeat(16), session: "0".repeat(32) };
  await api.call("POST", "/edge/v1/acquire", call, { authorization: `Bearer ${"x".repeat(43)}` });
  await api.call("GET", "/v1/sessions/01890000-0000-7000-8000-000000000000");
}

/** No control plane is there for so long; they come back with empty counters. */
export async function outage({ planes }: Monitored, ms: number): Promise<void> {
  await Promise.all(planes.map(({ part }) => part.killHard()));
  await delay(ms);
  await Promise.all(planes.map(({ part }) => part.start()));
}

/** One Envoy stands still for so long, and goes on. */
export async function standstill({ envoys: [, { part }] }: Monitored, ms: number): Promise<void> {
  part.pause();
  await delay(ms);
  part.resume();
}
