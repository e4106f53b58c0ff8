// Where a Helm is there: the chart is what it was when its golden files were recorded, and what it generates is usable.
import { expect, it } from "vitest";
import { staleGolden } from "../../scripts/chart/golden.js";
import { findHelm } from "../../scripts/test/get-helm.js";
import { notRun } from "../../scripts/test/not-run.js";
import {
  chartIsFlawless,
  generatedSecretIsUsable,
  namesFitLabels,
  upgradesAreNoInstallations,
} from "../helm/rendered.js";

const found = await findHelm();

/** Every template is in one of them; all entries are among the long tests. */
const SOME = ["default", "shared-sentinel", "secret-generated", "monitoring", "istio-gateway-api", "envoy-gateway"];

it("Helm makes of the chart what is recorded, for entries that have every template", async (context) => {
  if (!("binary" in found)) return notRun(context, found.reason);
  expect(await staleGolden(found.binary, SOME)).toEqual([]);
});

it("Helm finds nothing to say against the chart", async (context) => {
  if (!("binary" in found)) return notRun(context, found.reason);
  await chartIsFlawless(found.binary);
});

it("secrets that the chart generates have the form that sluice secret new prints", async (context) => {
  if (!("binary" in found)) return notRun(context, found.reason);
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
