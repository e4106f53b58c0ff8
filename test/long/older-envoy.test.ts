// What docs/envoy-facts.md says of an older Envoy: the tests of open streams run once more, on that one.
import { it } from "vitest";
import { findEnvoyVersion } from "../../scripts/get-envoy.js";
import { notRun } from "../../scripts/test/not-run.js";

const VERSION = "1.36.4";
const found = await findEnvoyVersion(VERSION);

it(`open streams are ended on Envoy ${VERSION}, by the tests that follow here`, (context) => {
  if ("reason" in found) notRun(context, `no Envoy ${VERSION}: ${found.reason}`);
});

if ("binary" in found) {
  // This file's process is its own: no other test sees this.
  process.env.ENVOY_BIN = found.binary;
  process.env.SLUICE_TEST_ENVOY_VERSION = VERSION;
  await import("../e2e/life/life-open-streams.test.js");
}
