// How long revocations take, where an edge is answered by one control plane and watches at another next.
import { describe, expect, it } from "vitest";

import { pass, SECOND_MS, two } from "../../../support/processes.js";
import { settled } from "../../../support/watching.js";

const STEP_MS = 10;

/** An edge whose watch hangs at `one`. */
async function watchedAtOne() {
  const scene = await two();
  scene.one.watch();
  await pass(4 * SECOND_MS, scene.both);
  const revoke = async (): Promise<void> => {
    scene.store.log.append("revoked", "a-session", 1);
    await settled();
  };
  return { ...scene, revoke };
}

describe("the propagation of revocations over two control planes", () => {
  it("a revocation is measured where it was answered, if the edge comes back there with it", async () => {
    const { one, other, both, revoke } = await watchedAtOne();
    await revoke();
    await pass(STEP_MS, both, STEP_MS);
    one.watch({ since: 1 });
    await pass(3 * SECOND_MS, both);
    expect([one.propagated, other.propagated]).toEqual([[STEP_MS], []]);
  });

  it("an edge that goes to another control plane with each answer inflates nothing", async () => {
    const { one, other, both, revoke } = await watchedAtOne();
    await revoke();
    await pass(STEP_MS, both, STEP_MS);
    other.watch({ since: 1 });
    await pass(490, both, STEP_MS);
    await revoke();
    await pass(STEP_MS, both, STEP_MS);
    one.watch({ since: 2 });
    await pass(3 * SECOND_MS, both);
    expect([one.propagated, other.propagated]).toEqual([[], []]);
  });

  it("an edge that has confirmed elsewhere does not confirm again when it comes back", async () => {
    const { one, other, both, revoke } = await watchedAtOne();
    await revoke();
    await pass(STEP_MS, both, STEP_MS);
    other.watch({ since: 1 });
    await pass(20 * SECOND_MS, both);
    one.watch({ since: 1 });
    await pass(3 * SECOND_MS, both);
    expect([one.propagated, other.propagated]).toEqual([[], []]);
  });

  it("what others hear of an earlier watch of the edge keeps nothing from being measured", async () => {
    const { one, other, both, revoke } = await watchedAtOne();
    other.watch();
    await revoke();
    await pass(2 * SECOND_MS, both);
    one.watch({ since: 1 });
    await settled();
    expect(one.propagated).toEqual([2 * SECOND_MS]);
  });
});
