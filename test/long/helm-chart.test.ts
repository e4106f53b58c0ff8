// The chart with a real Helm, which is built where there is none: renderings, refusals, and the package.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { staleGolden } from "../../scripts/chart/golden.js";
import { chartFolder, helm, NAMESPACE, RELEASE } from "../../scripts/chart/helm.js";
import { buildHelm } from "../../scripts/test/get-helm.js";
import { notRun } from "../../scripts/test/not-run.js";
import { badValues } from "../helm/chart.js";
import {
  chartIsFlawless,
  generatedSecretIsUsable,
  namesFitLabels,
  refusal,
  temporaryFolder,
  upgradesAreNoInstallations,
} from "../helm/rendered.js";

const found = await buildHelm();

describe("the chart, with a Helm that was built for it where none was there", () => {
  it("a Helm of this machine or of Go renders the chart as it is recorded", async (context) => {
    if (!("binary" in found)) return notRun(context, found.reason);
    expect(await staleGolden(found.binary)).toEqual([]);
  });

  it("a Helm of this machine or of Go takes the chart, and what it generates is usable", async (context) => {
    if (!("binary" in found)) return notRun(context, found.reason);
    await chartIsFlawless(found.binary);
    await generatedSecretIsUsable(found.binary);
  });

  it("an upgrade of the chart may bring the filter, and never makes a store", async (context) => {
    if (!("binary" in found)) return notRun(context, found.reason);
    await upgradesAreNoInstallations(found.binary);
  });

  it("a release with a long name has names that Kubernetes can put into labels of pods", async (context) => {
    if (!("binary" in found)) return notRun(context, found.reason);
    await namesFitLabels(found.binary);
  });

  it.skipIf(!("binary" in found)).each(badValues())("Helm refuses, and says why: $name", async (bad) => {
    if (!("binary" in found)) throw new Error(found.reason);
    const said = await refusal(found.binary, bad);
    if (bad.says !== undefined) expect(said).toContain(bad.says);
    else expect(said).toContain(`at '${bad.at ?? ""}'`);
  });

  it("the chart's package has its version, and renders as the folder does", async (context) => {
    if (!("binary" in found)) return notRun(context, found.reason);
    const folder = temporaryFolder();
    const packed = await helm(found.binary, ["package", chartFolder, "--destination", folder]);
    expect(packed).toMatchObject({ code: 0 });
    expect(readdirSync(folder)).toEqual(["sluice-0.1.0.tgz"]);
    const place = ["--namespace", NAMESPACE, "--kube-version", "1.34.0"];
    const render = (chart: string) => helm(found.binary, ["template", RELEASE, chart, ...place]);
    const [ofPackage, ofFolder] = [await render(join(folder, "sluice-0.1.0.tgz")), await render(chartFolder)];
    expect(ofPackage.stdout).toBe(ofFolder.stdout);
    expect(ofPackage.stdout).toContain("kind: StatefulSet");
  });
});
