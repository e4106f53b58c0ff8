// What a real mesh made of our files, recorded by `npm run verify:mesh -- --write`, beside what the tests without a mesh take
// for it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "../../scripts/project-root.js";
import {
  CONTROL_PLANE,
  extensionConfigOf,
  extensionNameOf,
  httpFilterOf,
  type WasmPlugin,
} from "../e2e/harness/xds/istio.js";

interface Recorded {
  readonly httpFilter: unknown;
  readonly cluster: string;
  readonly extension: { readonly name: string; readonly typed_config: { readonly config: unknown } };
}

const read = (file: string): string => readFileSync(join(projectRoot, file), "utf8");
const recorded = JSON.parse(read("test/mesh/recorded/istio.json")) as Recorded;
const plugin = parse(read("envoy/istio/wasmplugin.yaml")) as WasmPlugin;

it("the tests' Envoy gets from Istio what a real istiod and its agent made of the WasmPlugin", () => {
  expect(extensionNameOf(plugin)).toBe(recorded.extension.name);
  expect(extensionConfigOf(plugin, "plugin.wasm")).toEqual(recorded.extension.typed_config.config);
});

it("the tests' Envoy has the filter in its chain as a real istiod puts it there", () => {
  expect(httpFilterOf(plugin)).toEqual(recorded.httpFilter);
});

it("the edge settings of the WasmPlugin name the cluster that a real istiod makes", () => {
  expect(recorded.cluster).toBe(CONTROL_PLANE);
  expect(plugin.spec.pluginConfig["controlPlane"]).toEqual({ cluster: recorded.cluster });
});
