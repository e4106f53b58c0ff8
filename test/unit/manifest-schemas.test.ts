// The validator of manifests, held against what it must and must not accept.
import { describe, expect, it } from "vitest";
import { violationsOf } from "../schemas/violations.js";

const metadata = { name: "sluice", namespace: "sluice" };
const service = { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "http", port: 8080 }] } };
const wasmPlugin = (spec: object): object => ({
  apiVersion: "extensions.istio.io/v1alpha1",
  kind: "WasmPlugin",
  metadata,
  spec: { url: "oci://registry.example/sluice-filter:0.1.0", ...spec },
});
const envoyProxy = (env: object): object => ({
  apiVersion: "gateway.envoyproxy.io/v1alpha1",
  kind: "EnvoyProxy",
  metadata,
  spec: { provider: { type: "Kubernetes", kubernetes: { envoyDeployment: { container: { env: [env] } } } } },
});

describe("manifests against the schemas of their kinds", () => {
  it.each([
    ["a Service", service],
    ["a WasmPlugin", wasmPlugin({ phase: "STATS", pluginConfig: { any: { thing: [1] } } })],
    ["an EnvoyProxy", envoyProxy({ name: "A", valueFrom: { secretKeyRef: { name: "sluice", key: "A" } } })],
  ])("a manifest that its schema describes has no violation: %s", (_, manifest) => {
    expect(violationsOf(manifest)).toEqual([]);
  });

  it.each([
    ["an unknown field of a Service", { ...service, spec: { port: 1 } }, "/spec has the unknown field port"],
    ["an unknown field of its metadata", { ...service, metadata: { ...metadata, label: {} } }, "/metadata has"],
    ["a text for a number", { ...service, spec: { ports: [{ port: "8080" }] } }, "/spec/ports/0/port must be"],
    ["an unknown field of a WasmPlugin", wasmPlugin({ fase: "STATS" }), "/spec has the unknown field fase"],
    ["an unknown phase", wasmPlugin({ phase: "LAST" }), "/spec/phase must be equal to one of the allowed values"],
    ["an unknown field deep in an EnvoyProxy", envoyProxy({ name: "A", from: "B" }), "/env/0 has the unknown field"],
    ["metadata of a WasmPlugin that none has", { ...wasmPlugin({}), metadata: { naem: "x" } }, "/metadata has the"],
    ["a kind of another version", { ...service, apiVersion: "v2" }, "no schema of Service v2 is recorded"],
    ["no kind at all", { apiVersion: "v1" }, "it has no apiVersion and kind"],
    ["no name", { ...service, metadata: {} }, "metadata.name is missing"],
  ])("a manifest that no API server would take whole is a violation: %s", (_, manifest, violation) => {
    expect(violationsOf(manifest).join("\n")).toContain(violation);
  });
});
