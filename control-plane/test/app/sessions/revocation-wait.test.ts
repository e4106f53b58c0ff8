// DELETE /v1/sessions/:id?wait: which edges have confirmed that they deny the session, and how long that is waited for.
import { request as httpRequest } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { RevocationWaits } from "../../../src/app/sessions/revocation-waits.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import { readWait } from "../../../src/domain/revocation-wait.js";
import { ConfirmingEdges } from "../../support/confirming-edges.js";
import {
  ADMIN_TOKEN,
  created,
  expectError,
  ISSUER_TOKEN,
  shown,
  startTestControlPlane,
} from "../../support/control-plane.js";
import type { Answer, TestControlPlane } from "../../support/control-plane.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { until } from "../../support/until.js";
import { settled } from "../../support/watching.js";

const EXPECTED = "wait is wrong: expected a duration such as 500ms or 2s, or a whole number of milliseconds, up to 20s";

/** A session, and edges that have confirmed all that was before it. */
async function planeWithEdges(...names: string[]) {
  const plane = await startTestControlPlane();
  const { session } = await created(plane);
  for (const name of names) plane.confirming.says(name, 0);
  return { plane, id: session.id };
}

const revoke = (plane: TestControlPlane, id: string, wait: string): Promise<Answer> =>
  plane.call("DELETE", `/v1/sessions/${id}?wait=${wait}`);

/** Resolves once so many waits are held: then the session is revoked, and time may pass. */
const held = (plane: TestControlPlane, waits: number): Promise<void> =>
  until(() => {
    expect(plane.confirming.waiting).toBe(waits);
  });

describe("a revocation that is waited for", () => {
  it("a wait is answered as soon as the last edge has confirmed", async () => {
    const { plane, id } = await planeWithEdges("gw-a", "gw-b");
    const answer = revoke(plane, id, "2s");
    await held(plane, 1);
    expect((await shown(plane, id)).state).toBe("revoked");
    plane.confirming.says("gw-b", 1);
    await settled();
    expect(plane.confirming.waiting).toBe(1);
    plane.confirming.says("gw-a", 1);
    expect(await answer).toMatchObject({
      status: 200,
      body: { revocation: { edges: 2, confirmed: 2, pending: [] } },
    });
    expect(plane.timers.pending).toBe(0);
  });

  it("a wait that is over names the edges that have not confirmed, and not before", async () => {
    const { plane, id } = await planeWithEdges("gw-a", "gw-b", "gw-c");
    const answer = revoke(plane, id, "500ms");
    await held(plane, 1);
    plane.confirming.says("gw-a", 1);
    plane.confirming.says("gw-c", 1);
    plane.timers.advance(499);
    expect(plane.confirming.waiting).toBe(1);
    plane.timers.advance(1);
    expect((await answer).body).toEqual({ revocation: { edges: 3, confirmed: 2, pending: ["gw-b"] } });
  });

  it("a wait is answered at once where there is no edge", async () => {
    const { plane, id } = await planeWithEdges();
    expect((await revoke(plane, id, "20s")).body).toEqual({ revocation: { edges: 0, confirmed: 0, pending: [] } });
  });

  it("a wait of 0 is answered at once", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    expect((await revoke(plane, id, "0")).body).toEqual({ revocation: { edges: 1, confirmed: 0, pending: ["gw-a"] } });
  });

  it("a repeated revocation waits again, and the first time of revocation stays", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    expect((await plane.call("DELETE", `/v1/sessions/${id}`)).status).toBe(204);
    const first = await shown(plane, id);
    plane.clock.advance(10);
    const answer = revoke(plane, id, "2000");
    await held(plane, 1);
    plane.confirming.says("gw-a", 1);
    expect((await answer).body).toEqual({ revocation: { edges: 1, confirmed: 1, pending: [] } });
    expect(await shown(plane, id)).toEqual(first);
  });

  it("a repeated revocation waits also for revocations of others since then", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    const other = await created(plane);
    await plane.call("DELETE", `/v1/sessions/${id}`);
    await plane.call("DELETE", `/v1/sessions/${other.session.id}`);
    plane.confirming.says("gw-a", 1);
    const answer = revoke(plane, id, "1s");
    await held(plane, 1);
    plane.confirming.says("gw-a", 2);
    expect((await answer).body).toMatchObject({ revocation: { confirmed: 1 } });
  });

  it("a session that never was is 404, without a wait", async () => {
    const { plane } = await planeWithEdges("gw-a");
    expectError(await revoke(plane, "019b76da-a800-7000-8000-000000000000", "2s"), "SESSION_NOT_FOUND");
    expect(plane.confirming.waiting).toBe(0);
  });

  it("an issuer that would wait for another's session gets 404 at once", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    const answer = await plane.call("DELETE", `/v1/sessions/${id}?wait=2s`, undefined, ISSUER_TOKEN);
    expectError(answer, "SESSION_NOT_FOUND");
    expect(plane.confirming.waiting).toBe(0);
  });
});

describe("a wait that cannot be used", () => {
  it.each(["2m", "1.5s", "-1", "", "s", "soon", "20001", "20001ms", "21s", "2S", "1s1s", "500ms1s"])(
    "wait=%s is 400, and the session stays live",
    async (wait) => {
      const { plane, id } = await planeWithEdges("gw-a");
      expect(expectError(await revoke(plane, id, wait), "INVALID_REQUEST", "wait")).toBe(EXPECTED);
      expect((await shown(plane, id)).state).toBe("live");
    },
  );

  it("a wait that is said twice is 400, and the session stays live", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    expectError(await revoke(plane, id, "2s&wait=3s"), "INVALID_REQUEST", "wait");
    expect((await shown(plane, id)).state).toBe("live");
  });

  it("an unknown word in the query is 400, and the session stays live", async () => {
    const { plane, id } = await planeWithEdges();
    expectError(await plane.call("DELETE", `/v1/sessions/${id}?waits=2s`), "INVALID_REQUEST", "waits");
    expect((await shown(plane, id)).state).toBe("live");
  });

  it.each([
    ["0", 0],
    ["500ms", 500],
    ["2s", 2000],
    ["1500", 1500],
    ["20s", 20_000],
    ["20000ms", 20_000],
    ["1s500ms", 1500],
    ["0m2s", 2000],
  ])("wait=%s is a wait of %i ms", (text, ms) => {
    expect(readWait(text)).toBe(ms);
  });
});

describe("a wait ends early", () => {
  it("a client that hangs up ends its wait", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const client = httpRequest(`${plane.url}/v1/sessions/${id}?wait=20s`, { method: "DELETE", headers });
    client.on("error", () => undefined).end();
    await held(plane, 1);
    client.destroy();
    await held(plane, 0);
    expect(plane.timers.pending).toBe(0);
    expect((await shown(plane, id)).state).toBe("revoked");
  });

  it("a stop of the control plane answers each wait with the figures of that moment", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    const answer = revoke(plane, id, "20s");
    await held(plane, 1);
    await plane.app.close();
    expect((await answer).body).toEqual({ revocation: { edges: 1, confirmed: 0, pending: ["gw-a"] } });
  });
});

/** Waits on edges that a test holds in its hands, over a log with so many entries. */
function waitingOn(entries: number, maxWaits?: number) {
  const clock = new FixedClock();
  const edges = new ConfirmingEdges(new ManualTimers(clock));
  const log = new MemoryLog();
  for (let i = 0; i < entries; i++) log.append("revoked", `s${i}`, 0);
  return { edges, waits: new RevocationWaits(edges, log, clock, maxWaits) };
}

it("edges confirm the log's head for one session, and its own cursor for a bulk revocation", async () => {
  const { edges, waits } = waitingOn(5);
  edges.says("gw-a", 4);
  expect(await waits.now({})).toMatchObject({ confirmed: 0, pending: ["gw-a"] });
  expect(await waits.now({ cursor: 4 })).toMatchObject({ confirmed: 1, pending: [] });
  expect(await waits.now({ log: "10000000000000aa", cursor: 5 })).toMatchObject({ confirmed: 0, pending: ["gw-a"] });
});

it("a revocation above the bound of waits is answered at once with the present figures", async () => {
  const { edges, waits } = waitingOn(1, 2);
  edges.says("gw-a", 0);
  const { signal } = new AbortController();
  const two = [waits.confirmedWithin(2000, signal, null), waits.confirmedWithin(2000, signal, null)];
  expect(await waits.confirmedWithin(2000, signal, null)).toEqual({ edges: 1, confirmed: 0, pending: ["gw-a"] });
  expect(edges.waiting).toBe(2);
  edges.says("gw-a", 1);
  expect(await Promise.all(two)).toMatchObject([{ confirmed: 1 }, { confirmed: 1 }]);
  const later = waits.confirmedWithin(2000, signal, null);
  expect(await later).toMatchObject({ confirmed: 1 });
});

it("one issuer cannot take the waits of others, nor can all issuers take those of operators", async () => {
  const { edges, waits } = waitingOn(1);
  edges.says("gw-a", 0);
  const { signal } = new AbortController();
  const all: Promise<unknown>[] = [];
  const waiting = async (issuer: string | null, calls: number): Promise<number> => {
    const before = edges.waiting;
    for (let call = 0; call < calls; call++) all.push(waits.confirmedWithin(2000, signal, issuer));
    await nextTurn();
    return edges.waiting - before;
  };
  expect([await waiting("a", 20), await waiting("b", 20)]).toEqual([8, 8]);
  for (const issuer of "cdefgh") await waiting(issuer, 20);
  expect([edges.waiting, await waiting(null, 20)]).toEqual([48, 16]);
  edges.says("gw-a", 1);
  await Promise.all(all);
  edges.says("gw-a", 0);
  expect(await waiting("a", 20)).toBe(8);
  waits.stop();
});
