// A revocation that is waited for, and the control plane as a process: edges confirm with their next watch.
import { expect, it } from "vitest";

import { deriveKeys } from "../../src/domain/keys.js";
import { openStore } from "../support/temporary-store.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn } from "../support/process.js";
import { sessionAt } from "../support/sessions.js";

const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
const edge = {
  authorization: `Bearer ${deriveKeys(Buffer.from(SECRET, "hex")).edgeCredential}`,
  "content-type": "application/json",
};

interface WatchBody {
  readonly log: string;
  readonly cursor: number;
}

async function watch(url: string, name: string, at: Partial<WatchBody>): Promise<WatchBody> {
  const { log, cursor: since = 0 } = at;
  const body = JSON.stringify({ edge: name, instance: "0".repeat(16), log, since });
  const answer = await fetch(`${url}/edge/v1/watch`, { method: "POST", headers: edge, body });
  expect(answer.status).toBe(200);
  return (await answer.json()) as WatchBody;
}

async function isWatching(url: string, name: string): Promise<boolean> {
  const answer = await fetch(`${url}/v1/edges`, { headers: admin });
  const { edges } = (await answer.json()) as { edges: { edge: string; watching: boolean }[] };
  return edges.some((one) => one.edge === name && one.watching);
}

it("an edge that watches on confirms a revocation, and one that fell silent does not", async () => {
  const settings = settingsIn();
  const store = await openStore(settings.SLUICE_DATA_DIR ?? "");
  const sessions = [sessionAt(Date.now() - 2), sessionAt(Date.now() - 1)];
  for (const session of sessions) await store.create(session);
  await store.close();
  const [one = "", two = ""] = sessions.map(({ id }) => id);
  const plane = new ControlPlaneProcess(settings);
  const url = await plane.listening();
  const revoke = async (id: string, wait: string): Promise<unknown> => {
    const answer = await fetch(`${url}/v1/sessions/${id}?wait=${wait}`, { method: "DELETE", headers: admin });
    expect(answer.status).toBe(200);
    return answer.json();
  };

  const first = await watch(url, "gw-a", {});
  const confirmed = revoke(one, "20s");
  const second = await watch(url, "gw-a", first);
  expect(second.cursor).toBe(first.cursor + 1);
  // Held, for there is no more to say: it ends with the next revocation, and no other follows.
  void watch(url, "gw-a", second);
  expect(await confirmed).toEqual({ revocation: { edges: 1, confirmed: 1, pending: [] } });

  const other = await watch(url, "gw-b", {});
  // Held until the revocation, and never repeated.
  void watch(url, "gw-b", other);
  await expect.poll(() => isWatching(url, "gw-b")).toBe(true);
  expect(await revoke(two, "50ms")).toEqual({
    revocation: { edges: 2, confirmed: 0, pending: ["gw-a", "gw-b"] },
  });
  plane.kill("SIGTERM");
  await plane.ended;
});
