// The clocks of Envoy and control plane differ by more than any session lives: the control plane decides while it answers.
// Its clock is the one that is moved, for Envoy does not start under libfaketime.
import { describe, expect, it } from "vitest";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { settableWallClock } from "../harness/wall-clock.js";

const YEAR_S = 365 * 24 * 3600;

const clock = await settableWallClock();

describe.each([
  ["ahead of", -YEAR_S],
  ["behind", YEAR_S],
])("an Envoy whose clock is a year %s the control plane's", (where, seconds) => {
  const sluice = useInstallation(() => {
    clock.ahead(seconds);
    return Promise.resolve({
      policy: policyOf([{ name: "default", maxTokens: 3, tokenRefillRate: 0 }], { onUnreachable: "deny" }),
      controlPlaneEnv: clock.env,
    });
  });

  it(`sessions are served, limited and revoked where Envoy's clock is a year ${where} the other`, async (context) => {
    clock.needed(context);
    const [live, revoked] = [await sluice().api.issue(), await sluice().api.issue()];
    const issuedAtMs = Number.parseInt(live.id.replaceAll("-", "").slice(0, 12), 16);
    expect(Math.round((issuedAtMs - Date.now()) / 1000 / YEAR_S)).toBe(Math.sign(seconds));
    await sluice().api.revoke(revoked.id);
    expect(await sluice().statuses(live.token, 4)).toEqual([200, 200, 200, 429]);
    expect(await sluice().statuses(revoked.token, 1)).toEqual([401]);
  });
});
