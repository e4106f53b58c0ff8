// Each alert about how edges are fires for the fault that it names, at a real Prometheus that scrapes a real installation.
import { afterAll, describe, expect, it } from "vitest";
import { initStore } from "../../../control-plane/test/support/planes-over-server.js";
import { StoreServer } from "../../../control-plane/test/support/servers/store-server.js";
import { useProgram } from "../../../control-plane/test/support/servers/use-server.js";
import { until } from "../../../control-plane/test/support/until.js";
import { useInstallation } from "../../e2e/harness/installation.js";
import { policyOf } from "../../e2e/harness/policy.js";
import { during } from "./harness/during.js";
import { Middlebox } from "./harness/middlebox.js";
import { useMonitoring } from "./harness/monitoring.js";

/** Short, so that the window in which an edge has to be in contact is 10 s and little more. */
const OFTEN = { controlPlane: { reportInterval: 100 } };
const PLAN = { name: "default", maxTokens: 100, tokenRefillRate: 0 };
/** Of the rule, and some more. */
const SLOW_MS = 7000;

describe("an installation of one Envoy", () => {
  const sluice = useInstallation({ policy: policyOf([PLAN], OFTEN) });
  const monitoring = useMonitoring(() => [
    { job: "sluice", port: sluice().ports.status },
    { job: "envoy", port: sluice().ports.admin },
  ]);

  it("an operator is told of revocations that reach a hanging Envoy late", async () => {
    await monitoring().quiet("SluiceRevocationsSlow");
    const { id } = await sluice().api.issue();
    sluice().envoy.pause();
    await sluice().api.revoke(id);
    const revokedMs = performance.now();
    await until(() => {
      expect(performance.now() - revokedMs).toBeGreaterThan(SLOW_MS);
    });
    sluice().envoy.resume();
    await monitoring().fires("SluiceRevocationsSlow");
    await monitoring().ends("SluiceRevocationsSlow");
  });

  it("an operator is told of an Envoy that was killed, until it is back", async () => {
    await monitoring().quiet("SluiceEdgeSilent");
    await sluice().envoy.killHard();
    await monitoring().fires("SluiceEdgeSilent");
    await sluice().envoy.start();
    await monitoring().ends("SluiceEdgeSilent");
  });

  it("an operator is told of an Envoy with another secret, until it has the right one", async () => {
    await monitoring().quiet("SluiceEdgeUnauthenticated", "SluiceCallsUnanswered");
    await sluice().envoy.stop();
    // It never serves a policy, so it never counts as started.
    const starting = sluice().envoy.start({ SLUICE_SECRET: "5e".repeat(32) });
    const failed = expect(starting).rejects.toThrow();
    await monitoring().fires("SluiceEdgeUnauthenticated");
    await monitoring().fires("SluiceCallsUnanswered");
    await sluice().envoy.stop();
    await failed;
    await sluice().envoy.start();
    await monitoring().ends("SluiceEdgeUnauthenticated");
    await monitoring().ends("SluiceCallsUnanswered");
  });

  it("an operator is told of a control plane that is gone, until it is back", async () => {
    await monitoring().quiet("SluiceControlPlaneAbsent");
    await sluice().controlPlane.killHard();
    await monitoring().fires("SluiceControlPlaneAbsent");
    await sluice().controlPlane.start();
    await monitoring().ends("SluiceControlPlaneAbsent");
  });
});

describe("an Envoy behind something that treats its calls badly", async () => {
  const between = await Middlebox.listen();
  afterAll(() => between.close());
  const fleet = { name: "shared", scope: "fleet" as const, maxTokens: 30, tokenRefillRate: 1 };
  const policy = (maxTokens: number) =>
    policyOf([{ ...PLAN, maxTokens }, fleet], { controlPlane: { ...OFTEN.controlPlane, acquireTimeout: 50 } });
  const sluice = useInstallation({
    policy: policy(100),
    bootstrap: (yaml) => between.between(yaml),
    startEdges: false,
  });
  const monitoring = useMonitoring(async () => {
    between.target = sluice().ports.http;
    await sluice().envoy.start();
    await sluice().current();
    return [{ job: "sluice", port: sluice().ports.status }];
  });

  it("an operator is told of watches that are cut off, until they are held again", async () => {
    await monitoring().quiet("SluiceEdgeNotWatching");
    between.treat("watch", () => "cut");
    await monitoring().fires("SluiceEdgeNotWatching");
    between.passAll();
    await monitoring().ends("SluiceEdgeNotWatching");
  });

  it("an operator is told of a policy whose way to an Envoy is lost, until it arrives", async () => {
    await monitoring().quiet("SluicePolicyNotTaken");
    between.treat("watch", () => "lose");
    sluice().writePolicy(policy(101));
    await monitoring().fires("SluicePolicyNotTaken");
    between.passAll();
    await monitoring().ends("SluicePolicyNotTaken");
  });

  it("an operator is told of acquires that are answered too late, until they are in time", async () => {
    await monitoring().quiet("SluiceControlPlaneNotAsked");
    between.treat("acquire", () => ({ delayMs: 500 }));
    await during(monitoring().fires("SluiceControlPlaneNotAsked", { edge: "sluice-edge" }), async () => {
      const { token } = await sluice().api.issue("default");
      await sluice().send({ token });
    });
    between.passAll();
    await monitoring().ends("SluiceControlPlaneNotAsked");
  });

  it("an operator is told of reports of which some are denied, until all are taken", async () => {
    await monitoring().quiet("SluiceReportsFail");
    let reports = 0;
    between.treat("report", () => (reports++ % 2 === 0 ? "deny" : "pass"));
    await monitoring().fires("SluiceReportsFail", { edge: "sluice-edge" });
    between.passAll();
    await monitoring().ends("SluiceReportsFail");
  });

  it("an operator is told of leases of which half are lost, until all arrive", async () => {
    await monitoring().quiet("SluiceLeasesStarved");
    const sessions = await Promise.all(Array.from({ length: 8 }, () => sluice().api.issue("shared")));
    let leases = 0;
    between.treat("lease", () => (leases++ % 2 === 0 ? "lose" : "pass"));
    await during(monitoring().fires("SluiceLeasesStarved"), async () => {
      for (const { token } of sessions) await sluice().send({ token });
    });
    between.passAll();
    await monitoring().ends("SluiceLeasesStarved");
  });
});

// Of one control plane alone such an Envoy shows as one that does not watch: with others, it may be on its way to them.
describe("an Envoy of which no answer to a watch arrives, under control planes that share a store", async () => {
  const between = await Middlebox.listen();
  const program = useProgram("Redis 7");
  let server: StoreServer | undefined;
  const sluice = useInstallation(async () => {
    server = await StoreServer.start(program(), { appendonly: true, appendfsync: "always" });
    await initStore(server.port);
    return {
      policy: policyOf([PLAN], OFTEN),
      controlPlaneEnv: { SLUICE_STORE: server.url },
      bootstrap: (yaml: string) => between.between(yaml),
      startEdges: false,
    };
  });
  afterAll(async () => {
    await server?.remove();
    await between.close();
  });
  const monitoring = useMonitoring(async () => {
    between.target = sluice().ports.http;
    await sluice().envoy.start();
    await sluice().current();
    return [{ job: "sluice", port: sluice().ports.status }];
  });

  it("an operator is told of an Envoy that asks for the same revocations again and again", async () => {
    await monitoring().quiet("SluiceEdgeBehind");
    const { id } = await sluice().api.issue();
    between.treat("watch", () => "lose");
    await sluice().api.revoke(id);
    await monitoring().fires("SluiceEdgeBehind", { edge: "sluice-edge" });
    between.passAll();
    await monitoring().ends("SluiceEdgeBehind");
  });
});
