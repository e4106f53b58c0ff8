// The clocks of Envoy and control plane differ by more than any session lives: the control plane decides while it answers.
// Its clock is the one that is moved, for Envoy does not start under libfaketime.
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { sluiceCommand } from "../harness/cli.js";
import { useInstallation } from "../harness/installation.js";
import { linesOf } from "../harness/log-lines.js";
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

describe("an Envoy whose clock is 12 minutes behind the control plane's", () => {
  const sluice = useInstallation(() => {
    clock.ahead(720);
    return Promise.resolve({
      policy: policyOf([{ name: "default", maxTokens: 3, tokenRefillRate: 0 }]),
      controlPlaneEnv: clock.env,
    });
  });

  it("an edge whose clock is 12 minutes behind is named, with a line in the log, until it is not", async (context) => {
    clock.needed(context);
    const lines = (): unknown[] =>
      linesOf(sluice().controlPlane, "edge-condition")
        .filter(({ condition }) => condition === "clock")
        .map(({ begins, msg }) => [begins, msg]);
    const words = "edge sluice-edge has a clock that is 12 minutes behind the control plane's (-720 s)";
    // Two watches show it, 20 s apart, and the log looks each 5 s.
    await until(() => {
      expect(lines()).toEqual([[true, words]]);
    });
    const shown = await sluiceCommand(sluice(), "edges");
    expect(shown).toMatch(/^sluice-edge +current +clock /m);
    expect(shown).toContain("sluice-edge: its clock is 12 minutes behind the control plane's\n  (-720 s).");
    const metrics = await sluice().api.metrics();
    const offset = metrics.get('sluice_control_edge_clock_offset_seconds{edge="sluice-edge"}');
    expect([Math.round(offset ?? 0), metrics.get("sluice_control_edges_clock_off")]).toEqual([-720, 1]);
    clock.ahead(0);
    // A jump of the control plane's clock waits for a grace of 20 s; the next watch comes within 20 s of that.
    await until(() => {
      expect(lines()).toEqual([
        [true, words],
        [false, `no longer: ${words}; it is now current`],
      ]);
    });
  });
});
