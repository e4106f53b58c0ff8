// What Prometheus' and Alertmanager's own checkers say of the files that Compose mounts.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { projectRoot } from "../../../scripts/project-root.js";
import { runCommand } from "../../../scripts/run-command.js";
import { findProgram } from "../../../scripts/test/get-prometheus.js";
import { notRun } from "../../../scripts/test/not-run.js";
import { textOf } from "../../unit/docs.js";

const FOLDER = join(projectRoot, "envoy/prometheus");
/** Where Compose mounts them. */
const MOUNTED = "/etc/prometheus/";

it("promtool finds nothing wrong with prometheus.yml and the rules that it names", async (context) => {
  const found = await findProgram("promtool");
  if ("reason" in found) return notRun(context, found.reason);
  const folder = mkdtempSync(join(tmpdir(), "sluice-prometheus-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "prometheus.yml");
  writeFileSync(file, textOf("envoy/prometheus/prometheus.yml").replaceAll(MOUNTED, `${FOLDER}/`));
  const { code, output } = await runCommand(found.binary, ["check", "config", file], { env: {} });
  expect(output.match(/SUCCESS: \d+ rules found/g)).toHaveLength(2);
  expect(code, output).toBe(0);
});

it("amtool finds nothing wrong with alertmanager.yml", async (context) => {
  const found = await findProgram("amtool");
  if ("reason" in found) return notRun(context, found.reason);
  const args = ["check-config", join(FOLDER, "alertmanager.yml")];
  const { code, output } = await runCommand(found.binary, args, { env: {} });
  expect(output).toContain("SUCCESS");
  expect(code, output).toBe(0);
});
