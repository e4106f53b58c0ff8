// Two Envoys that go by one node.id: they are named where they call from two addresses, and a hot restart is not.
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { envoyPlan } from "../../../scripts/start/envoy-process.js";
import { type SupervisedProcess, startProcess } from "../../../scripts/start/supervised-process.js";
import { sluiceCommand } from "../harness/cli.js";
import type { EdgeView } from "../harness/control-plane-client.js";
import { type Installation, useInstallation } from "../harness/installation.js";
import { linesOf } from "../harness/log-lines.js";
import { policyOf } from "../harness/policy.js";
import { useTwoOfOneNodeId } from "../harness/same-node-id.js";

const POLICY = policyOf([{ name: "default", maxTokens: 3, tokenRefillRate: 0 }]);

async function onlyEdge({ api }: Installation): Promise<EdgeView> {
  const [edge, ...others] = await api.edges();
  expect(others).toEqual([]);
  if (edge === undefined) throw new Error("no edge is listed");
  return edge;
}

const watching = ({ instances }: EdgeView): number => instances.filter((one) => one.watching).length;

const logged = ({ controlPlane }: Installation): unknown[] =>
  linesOf(controlPlane, "edge-condition")
    .filter(({ condition }) => condition === "double")
    .map(({ edge, begins }) => [edge, begins]);

describe("two Envoys with one node.id", () => {
  const sluice = useTwoOfOneNodeId(POLICY);

  it("two Envoys with one node.id are named by sluice edges, the log and a metric while both run", async () => {
    await Promise.all(sluice().edges.map(({ envoy }) => envoy.start()));
    // Two that watch from two addresses are named after 30 s, and the log looks each 5 s.
    await until(() => {
      expect(logged(sluice())).toEqual([["gw", true]]);
    });
    const [line] = linesOf(sluice().controlPlane, "edge-condition");
    expect(line).toMatchObject({ tableName: "default", addresses: ["127.0.0.1", "127.0.0.2"] });
    const shown = await sluiceCommand(sluice(), "edges");
    expect(shown).toMatch(/^gw +current +double /m);
    expect(shown).toContain("gw: two Envoys have this node.id. Give each one of its own.");
    expect((await sluice().api.metrics()).get("sluice_control_edges_double")).toBe(1);

    // Each has a bucket of its own, and what both spent counts.
    const { id, token } = await sluice().api.issue();
    const statuses = await Promise.all(sluice().edges.map((edge) => edge.statuses(token, 2)));
    expect(statuses.flat()).toEqual([200, 200, 200, 200]);
    await until(async () => {
      expect((await sluice().api.usage(id)).consumed).toBe(4);
    });
  });
});

describe("a hot restart", () => {
  const sluice = useInstallation({ policy: POLICY, edges: ["gw"], startEdges: false });
  const started: SupervisedProcess[] = [];
  afterAll(async () => {
    await Promise.all(started.map((one) => one.stop()));
  });

  /** One life of the Envoy, over the file that the installation has rendered for it. */
  async function start(epoch: number, ...more: string[]): Promise<void> {
    const { folder, secret } = sluice();
    const configFile = join(folder, "gw.yaml");
    const plan = envoyPlan({ binary: await findEnvoy(), configFile, logFile: join(folder, `gw-${epoch}.log`), secret });
    const args = plan.args.filter((arg) => arg !== "--disable-hot-restart");
    const restart = ["--restart-epoch", String(epoch), "--parent-shutdown-time-s", "600", "--drain-time-s", "300"];
    started.push(await startProcess({ ...plan, args: [...args, ...restart, ...more] }));
  }

  it("both processes of a hot restart watch side by side from one address, and are not named", async () => {
    const idFile = join(sluice().folder, "base-id");
    writeFileSync(idFile, "");
    await start(0, "--use-dynamic-base-id", "--base-id-path", idFile);
    await until(async () => {
      expect(watching(await onlyEdge(sluice()))).toBe(1);
    });
    await start(1, "--base-id", (await readFile(idFile, "utf8")).trim());
    await until(async () => {
      expect(watching(await onlyEdge(sluice()))).toBe(2);
    });
    const bothSince = Date.now();
    await until(() => {
      expect(Date.now() - bothSince).toBeGreaterThan(38_000);
    });
    const edge = await onlyEdge(sluice());
    expect(edge).toMatchObject({ edge: "gw", double: null, state: "current" });
    expect(edge.instances.map(({ address }) => address)).toEqual(["127.0.0.1", "127.0.0.1"]);
    expect(watching(edge)).toBe(2);
    expect(started.map(({ running }) => running)).toEqual([true, true]);
    expect(logged(sluice())).toEqual([]);
  });
});
