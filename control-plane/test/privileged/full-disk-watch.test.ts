// Watches of edges while the disk is full: what is held stays held, and who is behind is answered with the entries.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

import { deriveKeys } from "../../src/domain/keys.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn } from "../support/process.js";
import { needsDisk, smallDisk } from "../support/small-disk.js";

const admin = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
const edge = {
  authorization: `Bearer ${deriveKeys(Buffer.from(SECRET, "hex")).edgeCredential}`,
  "content-type": "application/json",
};

const post = (url: string, headers: Record<string, string>, sent: object): Promise<Response> =>
  fetch(url, { method: "POST", headers, body: JSON.stringify(sent) });

const create = (url: string): Promise<Response> =>
  post(`${url}/v1/sessions`, admin, { userId: "u1", orgId: "o1", metadata: { userAgent: "x".repeat(400) } });

async function created(url: string): Promise<string> {
  return ((await (await create(url)).json()) as { session: { id: string } }).session.id;
}

const revoke = async (url: string, id: string): Promise<number> =>
  (await fetch(`${url}/v1/sessions/${id}`, { method: "DELETE", headers: admin })).status;

async function watch(url: string, fields: object): Promise<{ log: string; cursor: number; revoked?: string[] }> {
  const sent = { edge: "gw-1", instance: "0".repeat(16), ...fields };
  return (await (await post(`${url}/edge/v1/watch`, edge, sent)).json()) as { log: string; cursor: number };
}

async function held(status: string): Promise<string | undefined> {
  return /^sluice_control_watches_held (\d+)$/m.exec(await (await fetch(`${status}/metrics`)).text())?.[1];
}

it("a watch stays held while the disk is full, and one that is behind is answered with entries", async (test) => {
  needsDisk(test);
  const disk = smallDisk(8);
  const plane = new ControlPlaneProcess(settingsIn(disk.path));
  const [url, status] = [await plane.listening(), await plane.status()];
  const [first, second] = [await created(url), await created(url)];
  const { log } = await watch(url, { since: 0 });
  expect(await revoke(url, first)).toBe(204);
  const answers: object[] = [];
  const holding = watch(url, { log, since: 1 }).then((answer) => answers.push(answer));
  while ((await held(status)) !== "1") await sleep(20);

  disk.fill();
  while ((await create(url)).status === 201);
  expect((await fetch(`${status}/readyz`)).status).toBe(503);
  expect(await revoke(url, second)).toBe(503);
  expect(await watch(url, { edge: "gw-2", log, since: 0 })).toEqual({ log, cursor: 1, revoked: [first], refresh: [] });
  await sleep(2000);
  expect([await held(status), answers]).toEqual(["1", []]);

  disk.clear();
  while ((await fetch(`${status}/readyz`)).status !== 200) await sleep(100);
  expect(await revoke(url, second)).toBe(204);
  await holding;
  expect(answers).toEqual([{ log, cursor: 2, revoked: [second], refresh: [] }]);
});
