// What the control plane as a process knows of edges after it was killed and started again.
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";

import { deriveKeys } from "../../src/domain/keys.js";
import { openLayout } from "../../src/store/lmdb/layout.js";
import { openStore } from "../support/temporary-store.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn } from "../support/process.js";
import { sessionAt } from "../support/sessions.js";

const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
const credential = {
  authorization: `Bearer ${deriveKeys(Buffer.from(SECRET, "hex")).edgeCredential}`,
  "content-type": "application/json",
};

interface WatchBody {
  readonly log: string;
  readonly cursor: number;
}

async function watch(url: string, at: Partial<WatchBody>): Promise<WatchBody> {
  const { log, cursor: since = 0 } = at;
  const body = JSON.stringify({ edge: "gw-1", instance: "0".repeat(16), log, since });
  const answer = await fetch(`${url}/edge/v1/watch`, { method: "POST", headers: credential, body });
  expect(answer.status).toBe(200);
  return (await answer.json()) as WatchBody;
}

async function edges(url: string): Promise<object[]> {
  const answer = await fetch(`${url}/v1/edges`, { headers: admin });
  return ((await answer.json()) as { edges: object[] }).edges;
}

/** Names of the edges of which the store has a status. */
async function storedEdges(folder: string): Promise<string[]> {
  const { env, edgeStatus } = openLayout(folder, { bytes: (n) => randomBytes(n) });
  const names = [...edgeStatus.getKeys()].map(([edge]) => edge);
  await env.close();
  return names;
}

it("a killed control plane lists the edge that was there, and revocations wait for it", async () => {
  const settings = settingsIn();
  const folder = settings.SLUICE_DATA_DIR ?? "";
  const store = await openStore(folder);
  const session = sessionAt(Date.now());
  await store.create(session);
  await store.close();
  const killed = new ControlPlaneProcess(settings);
  const before = await killed.listening();
  const place = await watch(before, {});
  // Held until the process is killed.
  const held = watch(before, place).catch(() => undefined);
  await expect.poll(() => storedEdges(folder)).toEqual(["gw-1"]);
  killed.kill("SIGKILL");
  await Promise.all([killed.ended, held]);

  const plane = new ControlPlaneProcess(settings);
  const url = await plane.listening();
  expect(await edges(url)).toMatchObject([{ edge: "gw-1", state: "waiting", watching: false }]);
  const revoke = async (wait: string): Promise<unknown> => {
    const answer = await fetch(`${url}/v1/sessions/${session.id}?wait=${wait}`, { method: "DELETE", headers: admin });
    return answer.json();
  };
  expect(await revoke("50ms")).toEqual({ revocation: { edges: 1, confirmed: 0, pending: ["gw-1"] } });
  const answer = await watch(url, place);
  const confirmed = revoke("20s");
  void watch(url, answer).catch(() => undefined);
  expect(await confirmed).toEqual({ revocation: { edges: 1, confirmed: 1, pending: [] } });
  plane.kill("SIGTERM");
  await plane.ended;
});
