// What an installation ends with, typed as it stands into a shell: it issues a session at a real control plane.
import { expect, it } from "vitest";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { goldenOf } from "../../scripts/chart/golden.js";
import { runCommand } from "../../scripts/run-command.js";
import { notRun } from "../../scripts/test/not-run.js";
import {
  ADMIN_TOKEN,
  ControlPlaneProcess,
  knownPorts,
  ready,
  settingsIn,
  temporaryFolder,
} from "../../control-plane/test/support/process.js";
import { goldenManifests, theOne } from "../helm/chart.js";

/** The commands stand indented behind the last sentence. */
const commandsOf = (notes: string): string => (notes.match(/(?:^ {2}.*\n?)+$/m) ?? [""])[0];

/** Answers as a cluster with this release would, for these names only; it forwards to nothing, for the port is there already. */
const KUBECTL = `case "$*" in
  "-n sluice rollout status statefulset/sluice" | "-n sluice port-forward service/sluice "*":8080") exit 0 ;;
  "-n sluice get secret sluice -o jsonpath={.data.SLUICE_ADMIN_TOKEN}") printf '%s' "$TOKEN" | base64 ;;
  *) echo "not expected: $*" >&2; exit 1 ;;
esac`;

it("the last lines of an installation, typed as they stand, issue a session", async (context) => {
  if ((await runCommand("curl", ["--version"], { env: process.env })).code !== 0) notRun(context, "there is no curl");
  const folder = temporaryFolder();
  const { settings, url, status } = await knownPorts(settingsIn(folder));
  const { data } = theOne("ConfigMap", goldenManifests("default"), "sluice-policy");
  writeFileSync(join(folder, "policy.yaml"), data?.["policy.yaml"] ?? "");
  // A rotation under way: the first of two counts.
  new ControlPlaneProcess({ ...settings, SLUICE_ADMIN_TOKEN: `${ADMIN_TOKEN},another-admin-token` });
  await ready(status);
  writeFileSync(join(folder, "kubectl"), `#!/bin/sh\n${KUBECTL}\n`, { mode: 0o755 });
  const commands = commandsOf(goldenOf("default")?.notes ?? "").replaceAll("8080", new URL(url).port);
  const script = commands.replace(/(port-forward service\/sluice \d+):\d+/, "$1:8080");
  const env = { PATH: `${folder}:${process.env.PATH ?? ""}`, TOKEN: `${ADMIN_TOKEN},another-admin-token` };
  const { code, stdout, stderr } = await runCommand("bash", ["-ec", script], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({
    session: { userId: "u1", orgId: "o1", plan: "default" },
    token: expect.any(String) as unknown,
  });
});
