// Each alert over what edges report of themselves fires for the fault that it names, at a real Prometheus that scrapes the control
// plane alone.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { withHttp2Upstream } from "../../e2e/harness/grpc.js";
import { ask, drive } from "../../e2e/harness/http2-load.js";
import { useInstallation } from "../../e2e/harness/installation.js";
import type { InstallationOptions } from "../../e2e/harness/installation-options.js";
import { policyOf } from "../../e2e/harness/policy.js";
import { testBuild } from "../../e2e/harness/test-builds.js";
import { UsageUpstream } from "../../e2e/harness/usage-upstream.js";
import { GIVES_UP_AT_ONCE, SETTLES_ONE } from "./harness/builds.js";
import { during } from "./harness/during.js";
import { type Monitoring, useMonitoring } from "./harness/monitoring.js";

const OFTEN = { controlPlane: { reportInterval: 100 } };
const PLAN = { name: "default", maxTokens: 9_000_000, tokenRefillRate: 0 };
const EDGE = { edge: "sluice-edge" };
/** The smallest that there is. */
const CAPACITY = 1024;

const folder = mkdtempSync(join(tmpdir(), "sluice-alerts-figures-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function useMonitored(options: () => Promise<InstallationOptions>) {
  const sluice = useInstallation(options);
  const monitoring = useMonitoring(() => [{ job: "sluice", port: sluice().ports.status }]);
  return { sluice, monitoring };
}

/** Requests over four connections until the alert fires. Resolves once the last of them is answered. */
async function loadUntilFires(
  { sluice, monitoring }: { sluice: ReturnType<typeof useInstallation>; monitoring: () => Monitoring },
  alert: string,
  next: () => string,
): Promise<void> {
  const connections = await sluice().connect(4);
  let over = false;
  const load = drive({ connections, inFlight: 4, next: () => (over ? null : { "x-session-id": next() }) });
  try {
    await monitoring().fires(alert, EDGE);
  } finally {
    over = true;
    await load;
    for (const connection of connections) connection.close();
  }
}

describe("a table that is too small", () => {
  const scene = useMonitored(() => Promise.resolve({ policy: policyOf([PLAN], OFTEN), tableCapacity: CAPACITY }));
  const { sluice, monitoring } = scene;

  it("an operator is told of a table in which sessions in use take each other's place", async () => {
    await monitoring().quiet("SluiceTableOverused");
    const tokens: string[] = [];
    while (tokens.length < 3 * CAPACITY) {
      const some = await Promise.all(Array.from({ length: 64 }, () => sluice().api.issue()));
      tokens.push(...some.map(({ token }) => token));
    }
    let at = 0;
    await loadUntilFires(scene, "SluiceTableOverused", () => tokens[at++ % tokens.length] ?? "");
    await monitoring().ends("SluiceTableOverused");
  });

  it("an operator is told of sessions for which the table has no slot, once they are reported", async () => {
    await monitoring().quiet("SluiceTableFull");
    await sluice().changePolicy(policyOf([PLAN], { ...OFTEN, onMiss: "trust", onTableFull: "deny" }));
    // Sessions that the control plane has not confirmed make no room, and it hangs.
    sluice().controlPlane.pause();
    const connections = await sluice().connect(4);
    const unknown = Array.from({ length: 3 * CAPACITY }, () => sluice().mint.mint(Date.now()).token);
    const next = () => {
      const token = unknown.pop();
      return token === undefined ? null : { "x-session-id": token };
    };
    const { statuses } = await drive({ connections, inFlight: 16, next });
    for (const connection of connections) connection.close();
    expect(statuses[503]).toBeGreaterThan(0);
    sluice().controlPlane.resume();
    await monitoring().fires("SluiceTableFull", EDGE);
    await monitoring().ends("SluiceTableFull", EDGE);
  });
});

describe("a session that all workers serve at once", () => {
  const scene = useMonitored(async () => ({
    policy: policyOf([PLAN], OFTEN),
    filterPath: await testBuild(GIVES_UP_AT_ONCE, folder),
  }));

  it("an operator is told of requests on which an Envoy gave up", async () => {
    await scene.monitoring().quiet("SluiceContention");
    const { token } = await scene.sluice().api.issue();
    await loadUntilFires(scene, "SluiceContention", () => token);
    await scene.monitoring().ends("SluiceContention");
  });
});

describe("streams that nothing ends", () => {
  const { sluice, monitoring } = useMonitored(() =>
    Promise.resolve({
      policy: policyOf([PLAN], { ...OFTEN, sessions: { openStreams: "close" } }),
      filter: "sluice-lean",
    }),
  );

  it("an operator is told of streams that will not end with their session", async () => {
    await monitoring().quiet("SluiceStreamsUntracked");
    const { token } = await sluice().api.issue();
    expect(await sluice().statuses(token, 1)).toEqual([200]);
    await monitoring().fires("SluiceStreamsUntracked", EDGE);
    await monitoring().ends("SluiceStreamsUntracked");
  });
});

describe("requests whose cost nobody learns", () => {
  const routes = [
    { match: { prefix: "/lasting" }, cost: 5, settle: { json: "/usage/total_tokens" } },
    { match: { prefix: "/" }, cost: 5, settle: { header: "x-cost" } },
  ];
  const { sluice, monitoring } = useMonitored(async () => ({
    policy: policyOf([PLAN], { ...OFTEN, routes }),
    filterPath: await testBuild(SETTLES_ONE, folder),
    upstream: (port) => new UsageUpstream().listen(port),
    bootstrap: withHttp2Upstream,
  }));

  it("an operator is told of a service whose costs cannot be read, until they can", async () => {
    await monitoring().quiet("SluiceCostsUnreadable");
    const { token } = await sluice().api.issue();
    await during(monitoring().fires("SluiceCostsUnreadable", EDGE), async () => {
      expect((await sluice().send({ token, path: "/?cost=dear" })).status).toBe(200);
    });
    await monitoring().ends("SluiceCostsUnreadable");
  });

  it("an operator is told of requests that will not be settled, since too many are under way", async () => {
    await monitoring().quiet("SluiceSettlementsUnnoted");
    const { token } = await sluice().api.issue();
    const [connection] = await sluice().connect(2);
    if (connection === undefined) throw new Error("no connection");
    const lasting = { ":path": "/lasting?ms=3000&cost=7", "x-session-id": token };
    const statuses = await Promise.all([ask(connection, lasting), ask(connection, lasting)]);
    expect(statuses).toEqual([200, 200]);
    await monitoring().fires("SluiceSettlementsUnnoted", EDGE);
    await monitoring().ends("SluiceSettlementsUnnoted");
  });
});
