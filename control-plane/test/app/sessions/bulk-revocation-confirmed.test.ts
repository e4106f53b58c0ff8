// GET /v1/revocations/:id says which edges deny by now what a bulk revocation revoked.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

import { openLayout } from "../../../src/store/lmdb/layout.js";
import type { StoredRevocation } from "../../../src/domain/stored.js";
import { openStore } from "../../support/temporary-store.js";
import { created, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { sessionAt } from "../../support/sessions.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const ID = "0192f0c1-0000-7000-8000-000000000000";

interface Shown {
  readonly id: string;
  readonly state: string;
}
const shownIn = (body: unknown): Shown => (body as { revocation: Shown }).revocation;
const show = async (plane: TestControlPlane, id: string): Promise<Shown> =>
  shownIn((await plane.call("GET", `/v1/revocations/${id}`)).body);

async function revokedAll(plane: TestControlPlane): Promise<Shown> {
  let last = shownIn((await plane.call("DELETE", "/v1/sessions?userId=u1")).body);
  while (last.state !== "finished") last = await show(plane, last.id);
  return last;
}

it("a bulk revocation names the edges that have not passed its last session", async () => {
  const plane = await startTestControlPlane();
  await created(plane);
  await created(plane);
  plane.confirming.says("gw-a", 2);
  plane.confirming.says("gw-b", 1);
  const { id } = await revokedAll(plane);
  expect(await show(plane, id)).toMatchObject({ edges: 2, confirmed: 1, pending: ["gw-b"] });
  plane.confirming.says("gw-b", 2);
  expect(await show(plane, id)).toMatchObject({ edges: 2, confirmed: 2, pending: [] });
});

it("a bulk revocation stays confirmed when others are revoked after it", async () => {
  const plane = await startTestControlPlane();
  await created(plane);
  const other = await created(plane, { userId: "u2" });
  plane.confirming.says("gw-a", 1);
  const { id } = await revokedAll(plane);
  await plane.call("DELETE", `/v1/sessions/${other.session.id}`);
  const answer = await show(plane, id);
  expect(answer).toMatchObject({ edges: 1, confirmed: 1, pending: [] });
  expect(answer).not.toHaveProperty("cursor");
});

it("a bulk revocation of someone without sessions waits for what was revoked before it", async () => {
  const plane = await startTestControlPlane();
  const { session } = await created(plane);
  await plane.call("DELETE", `/v1/sessions/${session.id}`);
  plane.confirming.says("gw-a", 0);
  const answer = await plane.call("DELETE", "/v1/sessions?userId=nobody");
  expect(shownIn(answer.body)).toMatchObject({ state: "finished", edges: 1, confirmed: 0, pending: ["gw-a"] });
});

it("a bulk revocation keeps its cursor over a restart of the control plane", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-store-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const before = await openStore(folder);
  for (const at of [0, 1, 2]) await before.create(sessionAt(NOW_MS + at));
  await before.revocations.begin(ID, { userId: "u1" }, NOW_MS + 10);
  await before.revocations.expand(ID, 2, NOW_MS + 11);
  expect(await before.revocations.find(ID)).toMatchObject({ revoked: 2, cursor: 2 });
  await before.revocations.expand(ID, 2, NOW_MS + 12);
  await before.close();
  const after = await openStore(folder);
  onTestFinished(() => after.close());
  expect(await after.revocations.find(ID)).toMatchObject({ revoked: 3, cursor: 3 });
  await after.revocations.begin(ID.replace("c1", "c2"), { userId: "u1" }, NOW_MS + 20);
  expect(await after.revocations.find(ID)).toMatchObject({ cursor: 3 });
});

it("a bulk revocation stored by an earlier version is confirmed by the whole log", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-store-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const before = await openStore(folder);
  await before.create(sessionAt(NOW_MS));
  await before.revocations.begin(ID, { userId: "u1" }, NOW_MS + 10);
  await before.revocations.expand(ID, 2, NOW_MS + 11);
  await before.close();
  const layout = openLayout(folder, { bytes: (n) => randomBytes(n) });
  const { log, cursor, ...older } = layout.revocations.get(ID) ?? ({} as StoredRevocation);
  expect([log, cursor]).toEqual([layout.meta.get("log"), 1]);
  await layout.revocations.put(ID, older);
  await layout.env.close();

  const after = await openStore(folder);
  onTestFinished(() => after.close());
  expect((await after.revocations.find(ID))?.cursor).toBeUndefined();
});
