// Whether a session is idle at one control plane while an instance that holds it calls another.
import { describe, expect, it } from "vitest";

import { idleNow, idleNowAt } from "../../../../src/app/upkeep/idle-expiry.js";
import { MINUTE_MS, OF, pass, SECOND_MS, two } from "../../../support/processes.js";
import type { ControlPlane } from "../../../support/processes.js";
import { HOUR_MS, sessionAt } from "../../../support/sessions.js";

/** By a control plane that has listened for long enough; the instance holds a session that nobody has used since then. */
async function longIdle(skewMs = 0) {
  const scene = await two(skewMs);
  const { one, other, both } = scene;
  const session = sessionAt(one.clock.nowMs());
  await pass(HOUR_MS + 5 * MINUTE_MS, both, 10 * SECOND_MS, () => {
    other.report("w1");
  });
  const isIdleAt = ({ policies, instances, clock }: ControlPlane): boolean[] => {
    const ports = { policies, instances, clock };
    return [idleNow(ports)(session, [OF]), idleNowAt(ports, [OF])(session, [OF])];
  };
  return { ...scene, idle: () => [...isIdleAt(one), ...isIdleAt(other)] };
}

const AT_BOTH = [true, true, true, true];
const AT_NONE = [false, false, false, false];

describe("idle sessions that an instance holds which calls another control plane", () => {
  it("a session ends at either control plane once its holder has reported to one of them", async () => {
    const { idle } = await longIdle();
    expect(idle()).toEqual(AT_BOTH);
  });

  it("a session is idle at neither while its holder's report to one of them is too old", async () => {
    const { idle, other, both } = await longIdle();
    await pass(30 * SECOND_MS, both, SECOND_MS, () => {
      other.instances.acquired(OF);
    });
    expect(idle()).toEqual(AT_NONE);
  });

  it("a session is idle at neither while one worker of its holder reports to nobody", async () => {
    const { idle, one, other, both } = await longIdle();
    one.report("w2");
    await pass(30 * SECOND_MS, both, 5 * SECOND_MS, () => {
      other.report("w1");
    });
    expect(idle()).toEqual(AT_NONE);
    one.report("w2");
    await pass(8 * SECOND_MS, both, 4 * SECOND_MS, () => {
      other.report("w1");
    });
    expect(idle()).toEqual(AT_BOTH);
  });

  it("a session is idle at neither while its holder said to one of them that it has spent more", async () => {
    const { idle, other, both } = await longIdle();
    await pass(10 * SECOND_MS, both, 5 * SECOND_MS, () => {
      other.report("w1", { more: true });
    });
    expect(idle()).toEqual(AT_NONE);
  });

  it("a holder that watches at another control plane and reports nothing is not gone", async () => {
    const { idle, other, both } = await longIdle();
    await pass(10 * MINUTE_MS, both, 5 * SECOND_MS, () => {
      other.watch();
    });
    expect(idle()).toEqual(AT_NONE);
  });

  it("a holder counts as gone only when the other control plane could have stored its last call", async () => {
    const { one, other, both } = await longIdle();
    await pass(8 * SECOND_MS, both);
    // The other may have heard it, and have stored nothing of that for up to 35 s.
    await pass(5 * MINUTE_MS + 15 * SECOND_MS, [one], 5 * SECOND_MS);
    expect(one.instances.status(OF, 20_000)).toBe("behind");
    await pass(MINUTE_MS, [one], 5 * SECOND_MS);
    expect(one.instances.status(OF, 20_000)).toBe("gone");
    expect(other.instances.knows(OF)).toBe(true);
  });

  it.each([5_000, -5_000])("a report counts as no younger than it is where clocks differ by %i ms", async (skewMs) => {
    const { one, other, both } = await two(skewMs);
    other.report("w1");
    await pass(10 * SECOND_MS, both);
    const [known] = one.instances.known(20_000);
    expect(known?.reportAgeMs).toBeGreaterThanOrEqual(9 * SECOND_MS);
    expect(known?.reportAgeMs).toBeLessThanOrEqual(15 * SECOND_MS);
  });
});
