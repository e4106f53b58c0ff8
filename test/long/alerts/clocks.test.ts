// Each alert about clocks, and that about names, fires for the fault that it names, at a real Prometheus. The control plane's clock is
// the one that is moved, for Envoy does not start under libfaketime.
import { describe, it } from "vitest";
import { useInstallation } from "../../e2e/harness/installation.js";
import { useTwoOfOneNodeId } from "../../e2e/harness/same-node-id.js";
import { policyOf } from "../../e2e/harness/policy.js";
import { settableWallClock } from "../../e2e/harness/wall-clock.js";
import { useMonitoring } from "./harness/monitoring.js";

const POLICY = policyOf([{ name: "default", maxTokens: 3, tokenRefillRate: 0 }], {
  controlPlane: { reportInterval: 100 },
});
const OFF_S = 720;

const clock = await settableWallClock();

describe("a control plane whose clock is not that of its Envoys", () => {
  const sluice = useInstallation(() => {
    clock.ahead(OFF_S);
    return Promise.resolve({ policy: POLICY, edges: ["gw-1", "gw-2"], startEdges: false, controlPlaneEnv: clock.env });
  });
  const monitoring = useMonitoring(() => [{ job: "sluice", port: sluice().ports.status }]);

  it("an operator is told of a clock that is off, an Envoy's or the control plane's", async (context) => {
    clock.needed(context);
    await monitoring().quiet("SluiceEdgeClockOff", "SluiceClockDiffers", "SluiceClockJumped");
    await sluice().edge(0).envoy.start();
    await monitoring().fires("SluiceEdgeClockOff");
    await sluice().edge(1).envoy.start();
    await monitoring().fires("SluiceClockDiffers");
    await monitoring().ends("SluiceEdgeClockOff");
    clock.ahead(0);
    await monitoring().fires("SluiceClockJumped", { direction: "backward" });
    await monitoring().ends("SluiceClockDiffers");
    await monitoring().ends("SluiceClockJumped");
  });
});

describe("two Envoys with one node.id", () => {
  const sluice = useTwoOfOneNodeId(POLICY);
  const monitoring = useMonitoring(() => [{ job: "sluice", port: sluice().ports.status }]);

  it("an operator is told of two Envoys with one node.id, until one of them is stopped", async () => {
    await monitoring().quiet("SluiceEdgeDouble");
    await Promise.all(sluice().edges.map(({ envoy }) => envoy.start()));
    await monitoring().fires("SluiceEdgeDouble");
    await sluice().edge(1).envoy.stop();
    await monitoring().ends("SluiceEdgeDouble");
  });
});
