// What was reported and consumed outlives the process: what has been answered is on the disk.
import { expect, it } from "vitest";

import { deriveKeys, readSecret } from "../../src/domain/keys.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn } from "../support/process.js";

const secret = readSecret(SECRET);
const edgeCredential = secret.ok ? deriveKeys(secret.secret).edgeCredential : "";

async function call(url: string, credential: string, body?: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${credential}`, "content-type": "application/json" };
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(url, { headers, ...sent });
  expect(response.ok).toBe(true);
  return response.json();
}

it("a control plane killed right after many reports were answered has all their rows", async () => {
  const settings = settingsIn();
  const first = new ControlPlaneProcess(settings);
  const url = await first.listening();
  const made = await call(`${url}/v1/sessions`, ADMIN_TOKEN, { userId: "u1", orgId: "o1" });
  const { id } = (made as { session: { id: string } }).session;
  const reports = Array.from({ length: 20 }, (_, i) => {
    const usage = [[id, 1, i + 1, 5_000_000, 0]];
    return call(`${url}/edge/v1/report`, edgeCredential, {
      edge: `gw-${i}`,
      instance: "00112233aabbccdd",
      usage,
      more: false,
    });
  });
  await Promise.all(reports);
  first.kill("SIGKILL");
  await first.ended;

  const second = new ControlPlaneProcess(settings);
  const usage = await call(`${await second.listening()}/v1/sessions/${id}/usage`, ADMIN_TOKEN);
  expect(usage).toMatchObject({ consumed: 210 });
  expect((usage as { edges: unknown[] }).edges).toHaveLength(20);
});
