// What Prometheus' own linter says of the metrics of both programs, as it scrapes them. The linter is promtool, from PATH or
// Debian's package.
import { spawnSync } from "node:child_process";
import { expect, it, type TestContext } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { findProgram } from "../../../scripts/test/get-prometheus.js";
import { notRun } from "../../../scripts/test/not-run.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const found = await findProgram("promtool");
const sluice = useInstallation({ policy: policyOf([{ name: "default", maxTokens: 10, tokenRefillRate: 0 }]) });

/** What it says of its input, line by line, and its exit code. */
function promtool(context: TestContext, args: readonly string[], input = ""): { code: number; lines: string[] } {
  if ("reason" in found) return notRun(context, found.reason);
  const { status, stdout, stderr } = spawnSync(found.binary, args, { input, encoding: "utf8" });
  return { code: status ?? -1, lines: (stdout + stderr).split("\n").filter((line) => line.trim() !== "") };
}

it("promtool finds nothing wrong with the metrics of the control plane", async (context) => {
  const { id, token } = await sluice().api.issue();
  await sluice().send({ token });
  await sluice().api.revoke(id);
  const scraped = await sluice().api.metricsText();
  expect(scraped).toContain("# TYPE sluice_control_sessions_created_total counter");
  expect(scraped).toContain("# TYPE nodejs_heap_size_used_bytes gauge");
  expect(promtool(context, ["check", "metrics"], scraped)).toEqual({ code: 0, lines: [] });
});

it("promtool misses nothing in the filter's metrics but help texts, of which Envoy has none", async (context) => {
  const { token } = await sluice().api.issue();
  await sluice().send({ token });
  await until(async () => {
    expect(await sluice().envoyAdmin.sample('sluice_requests_total{outcome="allowed",plan="default"}')).not.toBe(0);
  });
  const scraped = (await sluice().envoyAdmin.text("/stats/prometheus")).split("\n");
  const ours = scraped.filter((line) => /^(# TYPE )?sluice_/.test(line));
  expect(ours).toContain("# TYPE sluice_requests_total counter");
  const { lines } = promtool(context, ["check", "metrics"], `${ours.join("\n")}\n`);
  expect(lines).toContain("sluice_requests_total no help text");
  expect(lines.filter((line) => !line.endsWith(" no help text"))).toEqual([]);
});
