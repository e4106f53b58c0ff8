// Revocations at one control plane that wait for edges which watch at another.
import { describe, expect, it } from "vitest";

import type { Confirmed } from "../../../../src/app/edges/confirmations.js";
import { pass, SECOND_MS, two } from "../../../support/processes.js";
import type { ControlPlane } from "../../../support/processes.js";
import { settled } from "../../../support/watching.js";

const STEP_MS = 50;

/** A revocation at `at`, of which edges hear at once, and what has become of its wait. */
function revoked(at: ControlPlane, append: () => number, log: string) {
  const position = { log, cursor: append() };
  let confirmed: Confirmed | undefined;
  const waited = at.confirmations.wait(position, 10 * SECOND_MS).then((answer) => (confirmed = answer));
  return { waited, confirmed: () => confirmed };
}

async function watchedElsewhere() {
  const scene = await two();
  const { store, one, other, both } = scene;
  other.watch();
  await pass(4 * SECOND_MS, both);
  const append = (): number => store.log.append("revoked", "a-session", 1);
  return { ...scene, revoke: () => revoked(one, append, store.log.id) };
}

describe("a revocation that waits for edges at another control plane", () => {
  it("a revocation is confirmed within 300 ms of the watch of an edge at another control plane", async () => {
    const { other, both, revoke } = await watchedElsewhere();
    const { waited, confirmed } = revoke();
    await pass(2 * SECOND_MS, both, STEP_MS);
    expect(confirmed()).toBeUndefined();
    other.watch({ since: 1 });
    await pass(300, both, STEP_MS);
    expect(confirmed()).toEqual({ edges: 1, confirmed: 1, pending: [] });
    await waited;
  });

  it("a revocation waits for an edge that watches elsewhere and says nothing", async () => {
    const { both, revoke } = await watchedElsewhere();
    const { waited, confirmed } = revoke();
    await pass(10 * SECOND_MS, both, STEP_MS);
    await waited;
    expect(confirmed()).toEqual({ edges: 1, confirmed: 0, pending: ["gw-1"] });
  });

  it("a revocation is confirmed by an edge that moves to another control plane with the news", async () => {
    const { one, other, both, revoke, store } = await watchedElsewhere();
    one.watch();
    await pass(4 * SECOND_MS, both);
    const { waited, confirmed } = revoke();
    other.watch({ since: store.log.now().cursor });
    await pass(300, both, STEP_MS);
    expect(confirmed()).toMatchObject({ pending: [] });
    await waited;
  });

  it("an edge has confirmed only once its instances at all control planes have", async () => {
    const { one, other, both, revoke } = await watchedElsewhere();
    const table = { name: "default", capacity: 65_536, records: 0 };
    one.watch({ instance: "ffeeddccbbaa9988", table });
    await pass(4 * SECOND_MS, both);
    const { waited, confirmed } = revoke();
    one.watch({ instance: "ffeeddccbbaa9988", table, since: 1 });
    await pass(SECOND_MS, both, STEP_MS);
    expect(confirmed()).toBeUndefined();
    other.watch({ since: 1 });
    await pass(300, both, STEP_MS);
    expect(confirmed()).toEqual({ edges: 1, confirmed: 1, pending: [] });
    await waited;
  });

  it("a status that was written down before the cursor takes nothing of it back", async () => {
    const { one, other, both, revoke, store } = await watchedElsewhere();
    const [late] = await store.of("other").all();
    const { waited, confirmed } = revoke();
    other.watch({ since: 1 });
    await pass(300, both, STEP_MS);
    expect(confirmed()).toMatchObject({ pending: [] });
    await store.of("other").write(late === undefined ? [] : [late], []);
    await pass(SECOND_MS, [one], STEP_MS);
    expect(one.confirmations.status(store.log.now())).toMatchObject({ pending: [] });
    await waited;
  });

  it("nobody looks ten times a second once no revocation waits", async () => {
    const { one, other, both, revoke, store } = await watchedElsewhere();
    const { waited } = revoke();
    other.watch({ since: 1 });
    await pass(300, both, STEP_MS);
    await waited;
    await pass(SECOND_MS, both, STEP_MS);
    let readings = 0;
    store.asked = () => (readings += 1);
    await pass(10 * SECOND_MS, [one], STEP_MS);
    expect(readings).toBe(10);
  });

  it("a cursor that could not be stored is stored once the store is back", async () => {
    const { one, other, both, revoke, store } = await watchedElsewhere();
    const { waited, confirmed } = revoke();
    await settled();
    store.isAway = true;
    other.watch({ since: 1 });
    await pass(2 * SECOND_MS, both, STEP_MS);
    expect(confirmed()).toBeUndefined();
    store.isAway = false;
    await pass(1_300, both, STEP_MS);
    expect(confirmed()).toMatchObject({ pending: [] });
    await waited;
    await settled();
    expect(one.logged.length).toBeGreaterThan(0);
  });
});
