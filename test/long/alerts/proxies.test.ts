// Each alert over the proxies' own metrics fires for the fault that it names, at a real Prometheus that scrapes a real Envoy.
import { createServer } from "node:http";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { useInstallation } from "../../e2e/harness/installation.js";
import { policyOf } from "../../e2e/harness/policy.js";
import { testBuild, TRAPS_AT_13_BYTES } from "../../e2e/harness/test-builds.js";
import { LOSES_A_WORKER } from "./harness/builds.js";
import { during } from "./harness/during.js";
import { useMonitoring } from "./harness/monitoring.js";

const POLICY = policyOf([{ name: "default", maxTokens: 1000, tokenRefillRate: 0 }]);

const folder = mkdtempSync(join(tmpdir(), "sluice-alerts-proxies-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("an Envoy of which a worker has no VM", () => {
  const sluice = useInstallation(async () => ({
    policy: POLICY,
    filterPath: await testBuild(LOSES_A_WORKER, folder),
    awaitPolicy: false,
  }));
  const monitoring = useMonitoring(() => [{ job: "envoy", port: sluice().ports.admin }]);

  it("an operator is told of a worker without the filter", async () => {
    await monitoring().fires("SluiceWorkerWithoutFilter");
    // That is why: requests without a token come to both workers.
    const statuses = new Set<number>();
    for (const port of Array<number>(8).fill(sluice().ports.proxy)) {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
      statuses.add(answer.status);
    }
    expect([...statuses]).toContain(200);
  });
});

describe("an Envoy that follows a file for its filter, and whose service fails", () => {
  const nobody = (): Promise<() => void> => Promise.resolve(() => undefined);
  const sluice = useInstallation({ policy: POLICY, followedFilter: true, upstream: nobody });
  const monitoring = useMonitoring(() => [{ job: "envoy", port: sluice().ports.admin }]);

  it("an operator is told of code that Envoy does not take", async () => {
    await monitoring().quiet("SluiceFilterNotTaken");
    const broken = join(folder, "broken.wasm");
    writeFileSync(`${broken}.new`, Buffer.from("this is no filter"));
    renameSync(`${broken}.new`, broken);
    sluice().replaceFilter(broken);
    await monitoring().fires("SluiceFilterNotTaken");
    await monitoring().ends("SluiceFilterNotTaken");
  });

  it("an operator is told of answers of which too many are errors, until they are not", async () => {
    await monitoring().quiet("SluiceProxyErrors");
    const { token } = await sluice().api.issue();
    await during(monitoring().fires("SluiceProxyErrors"), async () => {
      expect((await sluice().send({ token })).status).toBe(503);
    });
    await monitoring().ends("SluiceProxyErrors");
  });
});

describe("a filter that traps at an answer", () => {
  /** Of as many bytes as the filter of this test traps at. */
  const answer = (port: number): Promise<() => void> =>
    new Promise((resolve) => {
      const server = createServer((_, response) => {
        response.setHeader("content-type", "application/json").end('{"tokens": 5}');
      });
      server.listen(port, "127.0.0.1", () => {
        resolve(() => server.close());
      });
    });
  const routes = [{ match: { prefix: "/" }, cost: 5, settle: { json: "/tokens" } }];
  const sluice = useInstallation(async () => ({
    policy: policyOf([{ name: "default", maxTokens: 1000, tokenRefillRate: 0 }], { routes }),
    filterPath: await testBuild(TRAPS_AT_13_BYTES, folder),
    upstream: answer,
  }));
  const monitoring = useMonitoring(() => [{ job: "envoy", port: sluice().ports.admin }]);

  it("an operator is told of a trap once the worker has another VM", async () => {
    await monitoring().quiet("SluiceFilterTrapped");
    const { token } = await sluice().api.issue();
    // The answer that traps breaks off, and the next request of that worker finds the new VM.
    await during(monitoring().fires("SluiceFilterTrapped"), () =>
      sluice()
        .send({ token })
        .catch(() => undefined),
    );
    await monitoring().ends("SluiceFilterTrapped");
  });
});
