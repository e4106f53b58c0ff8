// Confirmations of what was revoked, where the store's log becomes another one. Edges, waits and the log are the real ones.
import { expect, it } from "vitest";

import { Confirmations } from "../../../src/app/edges/confirmations.js";
import { RevocationWaits } from "../../../src/app/sessions/revocation-waits.js";
import { nobodyHangsUp, request, settled, T0, watchingMemory } from "../../support/watching.js";

const OTHER_LOG = "20000000000000bb";

function waitingOn() {
  const scene = watchingMemory();
  const confirmations = new Confirmations(scene.instances, scene.timers);
  const waits = new RevocationWaits(confirmations, scene.log);
  const says = async (edge: string, log: string, since: number): Promise<void> => {
    void scene.watches.watch(request({ edge, log, since }), nobodyHangsUp());
    await settled();
  };
  return { ...scene, waits, says };
}

it("a bulk revocation of an earlier log is confirmed by each edge that follows the present one", async () => {
  const { log, waits, says } = waitingOn();
  const revoked = { log: log.id, cursor: log.append("revoked", "a", T0) };
  await says("gw-a", revoked.log, 1);
  await says("gw-b", revoked.log, 1);
  log.change(OTHER_LOG);
  log.append("revoked", "b", T0);
  expect(await waits.now(revoked)).toMatchObject({ edges: 2, confirmed: 0, pending: ["gw-a", "gw-b"] });
  await says("gw-a", OTHER_LOG, 1);
  expect(await waits.now(revoked)).toMatchObject({ edges: 2, confirmed: 1, pending: ["gw-b"] });
});
