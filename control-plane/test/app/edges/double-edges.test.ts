// Two Envoys with one node.id: when they are named, and what is not taken for it.
import { describe, expect, it } from "vitest";

import { Confirmations } from "../../../src/app/edges/confirmations.js";
import { statusOf } from "../../contracts/edge-status-contract.js";
import { envoy, MINUTE_MS, SECOND_MS, sideBySide } from "../../support/edges-side-by-side.js";
import { nobodyHangsUp, settled, T0 } from "../../support/watching.js";

const [A, B] = ["10.0.0.7", "10.0.0.8"];

async function doubleAfter(ms: number, ...said: Parameters<ReturnType<typeof sideBySide>["pass"]>[1][]) {
  const scene = sideBySide();
  await scene.pass(ms, ...said);
  return (await scene.view())?.double;
}

describe("two Envoys with one node.id", () => {
  it("two Envoys that watch under one name from two addresses are named after 30 s", async () => {
    const scene = sideBySide();
    await scene.pass(29_999, envoy("a", A), envoy("b", B));
    expect((await scene.view())?.double).toBeNull();
    scene.timers.advance(1);
    expect((await scene.view())?.double).toEqual({ tableName: "default", addresses: [A, B], since: T0 });
  });

  it.each([
    ["behind one address", A],
    ["whose addresses are not known", undefined],
  ])("two Envoys under one name, %s, are named after 16 minutes", async (_where, address) => {
    const scene = sideBySide();
    await scene.pass(16 * MINUTE_MS - 1, envoy("a", address), envoy("b", address));
    expect((await scene.view())?.double).toBeNull();
    scene.timers.advance(1);
    expect((await scene.view())?.double).toMatchObject({ tableName: "default", since: T0 });
  });

  it("a hot restart whose former process goes on for 15 minutes is not taken for two Envoys", async () => {
    const scene = sideBySide();
    await scene.pass(60 * MINUTE_MS, envoy("a", A));
    await scene.pass(15 * MINUTE_MS + 20 * SECOND_MS, envoy("a", A), envoy("b", A));
    expect((await scene.view())?.double).toBeNull();
    await scene.pass(60 * MINUTE_MS, envoy("b", A));
    expect((await scene.view())?.double).toBeNull();
  });

  it("hot restarts one after the other are not taken for two Envoys", async () => {
    const scene = sideBySide();
    const lives = ["a", "b", "c", "d", "e"].map((instance) => envoy(instance, A));
    for (const [at, life] of lives.entries()) {
      await scene.pass(10 * MINUTE_MS, ...lives.slice(Math.max(0, at - 1), at), life);
      expect((await scene.view())?.double).toBeNull();
    }
  });

  it("two tables of one Envoy are not taken for two Envoys", async () => {
    const other = { table: { name: "partners", capacity: 1024, records: 0 } };
    expect(await doubleAfter(20 * MINUTE_MS, envoy("a", A), envoy("b", B, other))).toBeNull();
  });

  it("filters that do not name their table are not taken for two Envoys", async () => {
    const older = { table: { capacity: 1024, records: 0 } };
    expect(await doubleAfter(20 * MINUTE_MS, envoy("a", A, older), envoy("b", B, older))).toBeNull();
  });

  it("an Envoy that is started again elsewhere is not taken for two, however it ended", async () => {
    const scene = sideBySide();
    await scene.pass(MINUTE_MS, envoy("a", A));
    // Its machine is gone, and nobody hangs up: its watch is held to the end.
    for (let seconds = 0; seconds < 120; seconds += 5) {
      await scene.pass(5 * SECOND_MS, envoy("b", B));
      expect((await scene.view())?.double).toBeNull();
    }
  });

  it("an Envoy that is seen at several addresses is not taken for two", async () => {
    let at = 0;
    const roaming = () => envoy("a", ["192.0.2.1", "2001:db8::1", "192.0.2.2"][at++ % 3]);
    expect(await doubleAfter(20 * MINUTE_MS, roaming)).toBeNull();
  });

  it("a hot restart of an Envoy seen at several addresses is not taken for two Envoys", async () => {
    const roaming = (instance: string, first: number) => {
      let at = first;
      return () => envoy(instance, ["192.0.2.1", "2001:db8::1"][at++ % 2]);
    };
    expect(await doubleAfter(10 * MINUTE_MS, roaming("a", 0), roaming("b", 1))).toBeNull();
  });

  it("two Envoys stay named through a break of one, and for a minute after it has stopped", async () => {
    const scene = sideBySide();
    const said = [envoy("a", A), envoy("b", B)] as const;
    await scene.pass(MINUTE_MS, ...said);
    for (let breaks = 0; breaks < 5; breaks++) {
      await scene.pass(40 * SECOND_MS, said[0]);
      expect((await scene.view())?.double).not.toBeNull();
      await scene.pass(10 * SECOND_MS, ...said);
    }
    const client = new AbortController();
    void scene.watches.watch(said[1], client.signal);
    await settled();
    client.abort();
    await scene.pass(MINUTE_MS, said[0]);
    expect((await scene.view())?.double).not.toBeNull();
    await scene.pass(SECOND_MS, said[0]);
    expect((await scene.view())?.double).toBeNull();
  });

  it("after a longer break two Envoys are looked at anew", async () => {
    const scene = sideBySide();
    await scene.pass(15 * MINUTE_MS, envoy("a", A), envoy("b", A));
    await scene.pass(3 * MINUTE_MS, envoy("a", A));
    await scene.pass(15 * MINUTE_MS, envoy("a", A), envoy("b", A));
    expect((await scene.view())?.double).toBeNull();
  });

  it("two of very many Envoys under one name are named", async () => {
    const many = Array.from({ length: 200 }, (_, i) =>
      envoy("a", `10.0.1.${i}`, { instance: `${i}`.padStart(16, "0") }),
    );
    expect(await doubleAfter(MINUTE_MS, ...many)).toMatchObject({ tableName: "default" });
  });

  /** As it was stored a second before the start of the control plane, having watched for 20 minutes. */
  function stored(instance: string) {
    const { log, since, follow, filter, table } = envoy(instance);
    const lastWatch = { log, since, follow, policy: undefined, filter, table, address: A };
    const sinceMs = T0 - 20 * MINUTE_MS;
    const times = { firstContactAtMs: sinceMs, watchingSinceMs: sinceMs, lastContactAtMs: T0 - SECOND_MS };
    return statusOf("gw-1", instance.repeat(16), { ...times, lastWatch });
  }

  it("a restart of the control plane does not begin the 16 minutes anew", async () => {
    const scene = sideBySide([stored("a"), stored("b")]);
    await scene.pass(SECOND_MS, envoy("a", A), envoy("b", A));
    expect((await scene.view())?.double).toMatchObject({ addresses: [A], since: T0 - 20 * MINUTE_MS });
  });

  it("two former lives that nobody has heard of since the start are not taken for two Envoys", async () => {
    const scene = sideBySide([stored("a"), stored("b")]);
    expect((await scene.view())?.double).toBeNull();
    await scene.pass(30 * SECOND_MS, envoy("b", A));
    expect((await scene.view())?.double).toBeNull();
  });
});

describe("a revocation at two Envoys with one node.id", () => {
  /** One of them is cut off for two minutes while the other goes on to watch; then a session is revoked. */
  async function revokedWhileOneIsCutOff(other: string) {
    const scene = sideBySide();
    await scene.pass(MINUTE_MS, envoy("a", A), envoy("b", other));
    await scene.pass(2 * MINUTE_MS, envoy("b", other));
    scene.log.append("revoked", "a-session", T0);
    void scene.watches.watch(envoy("b", other, { since: 1 }), nobodyHangsUp());
    await settled();
    return new Confirmations(scene.instances, scene.timers).status(scene.log.now());
  }

  it("a revocation is pending while one of two Envoys with one node.id is cut off", async () => {
    expect(await revokedWhileOneIsCutOff(B)).toEqual({ edges: 1, confirmed: 0, pending: ["gw-1"] });
  });

  it("a revocation does not wait for the former process of a hot restart", async () => {
    expect(await revokedWhileOneIsCutOff(A)).toEqual({ edges: 1, confirmed: 1, pending: [] });
  });
});
