// Confirmations of what was revoked, where the store's log becomes another one. Edges, waits and the log are the real ones.
import { expect, it } from "vitest";

import { Confirmations } from "../../../src/app/edges/confirmations.js";
import { RevocationWaits } from "../../../src/app/sessions/revocation-waits.js";
import { nobodyHangsUp, received, request, settled, T0, watchingMemory } from "../../support/watching.js";

const OTHER_LOG = "20000000000000bb";

function waitingOn() {
  const scene = watchingMemory();
  const confirmations = new Confirmations(scene.instances, scene.timers);
  const waits = new RevocationWaits(confirmations, scene.log, scene.clock);
  const says = async (edge: string, log: string, since: number): Promise<void> => {
    const policy = received(1, { log });
    void scene.watches.watch(request({ edge, log, since, policy }), nobodyHangsUp());
    await settled();
  };
  /** What the wait has been answered so far. */
  const wait = (timeoutMs: number) => {
    const answers: unknown[] = [];
    void waits.confirmedWithin(timeoutMs, nobodyHangsUp(), null).then((answer) => answers.push(answer));
    return async (): Promise<unknown> => {
      await settled();
      return answers[0];
    };
  };
  return { ...scene, waits, says, wait };
}

it("a bulk revocation of an earlier log is confirmed by each edge that follows the present one", async () => {
  const { log, waits, says } = waitingOn();
  const revoked = { log: log.id, cursor: log.append("revoked", "a", T0) };
  await says("gw-a", revoked.log, 1);
  await says("gw-b", revoked.log, 1);
  log.change(OTHER_LOG, 1);
  expect(await waits.now(revoked)).toMatchObject({ edges: 2, confirmed: 0, pending: ["gw-a", "gw-b"] });
  await says("gw-a", OTHER_LOG, 0);
  expect(await waits.now(revoked)).toMatchObject({ edges: 2, confirmed: 1, pending: ["gw-b"] });
});

it("a wait goes on in the log that the store has come to have, until each edge has begun that", async () => {
  const { log, says, wait } = waitingOn();
  await says("gw-a", log.id, 0);
  await says("gw-b", log.id, 0);
  log.append("revoked", "a", T0);
  const answer = wait(2000);
  await says("gw-a", log.id, 1);
  log.change(OTHER_LOG);
  await says("gw-b", OTHER_LOG, 1);
  expect(await answer()).toBeUndefined();
  await says("gw-a", OTHER_LOG, 1);
  expect(await answer()).toEqual({ edges: 2, confirmed: 2, pending: [] });
});

it("an edge confirms a revocation of the new log by its number there", async () => {
  const { log, says, wait } = waitingOn();
  await says("gw-a", log.id, 0);
  log.append("revoked", "a", T0);
  const answer = wait(2000);
  log.change(OTHER_LOG);
  log.append("revoked", "b", T0);
  await says("gw-a", OTHER_LOG, 0);
  expect(await answer()).toBeUndefined();
  await says("gw-a", OTHER_LOG, 2);
  expect(await answer()).toMatchObject({ confirmed: 1 });
});

it("a wait finds out when the log becomes another before the wait has begun", async () => {
  const { log, says, wait } = waitingOn();
  await says("gw-a", log.id, 0);
  log.append("revoked", "a", T0);
  const position = log.position.bind(log);
  log.position = () => {
    const asked = position();
    log.position = position;
    log.change(OTHER_LOG);
    return asked;
  };
  const answer = wait(2000);
  await settled();
  await says("gw-a", OTHER_LOG, 1);
  expect(await answer()).toMatchObject({ confirmed: 1 });
});

it("a wait lasts as long as was asked for, however often the log becomes another", async () => {
  const { log, says, wait, timers } = waitingOn();
  await says("gw-a", log.id, 0);
  log.append("revoked", "a", T0);
  const answer = wait(2000);
  await settled();
  timers.advance(1500);
  log.change(OTHER_LOG);
  await settled();
  timers.advance(499);
  expect(await answer()).toBeUndefined();
  timers.advance(1);
  expect(await answer()).toEqual({ edges: 1, confirmed: 0, pending: ["gw-a"] });
});

it("a wait is over for the store's log when it has ended", async () => {
  const { log, says, wait } = waitingOn();
  await says("gw-a", log.id, 0);
  log.append("revoked", "a", T0);
  const ends: string[] = [];
  const subscribe = log.subscribe.bind(log);
  log.subscribe = (listener) => {
    const end = subscribe(listener);
    return () => {
      ends.push("ended");
      end();
    };
  };
  const answer = wait(2000);
  await settled();
  await says("gw-a", log.id, 1);
  expect(await answer()).toMatchObject({ confirmed: 1 });
  expect(ends).toEqual(["ended"]);
});
