// What an operator applies: the committed manifests are what `sluice render` prints, and each fits the schema of its kind.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { sluice } from "../../control-plane/test/support/cli.js";
import { projectRoot } from "../../scripts/project-root.js";
import { violationsOf } from "../schemas/violations.js";

const env = { SLUICE_ADMIN_TOKEN: "", SLUICE_URL: "http://127.0.0.1:1" };
const POLICY = "version: 1\n# Ours.\nplans:\n  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }\n";
const documentsOf = (text: string): unknown[] => parseAllDocuments(text).map((document) => document.toJS() as unknown);
const committed = (file: string): unknown[] => documentsOf(readFileSync(join(projectRoot, "envoy", file), "utf8"));

async function rendered(line: string): Promise<unknown[]> {
  const ran = await sluice(`render ${line}`, { env, files: { "p.yaml": POLICY } });
  expect(ran).toMatchObject({ code: 0, err: "" });
  return documentsOf(ran.out);
}

const PLANE = "kubernetes --image registry.example/sluice:0.1.0";
const ISTIO = "istio --image registry.example/sluice-filter:0.1.0";
const GATEWAY = "gateway --image registry.example/sluice-filter:0.1.0";
const DIGEST = "0123456789abcdef".repeat(4);

/** A part of a Deployment, to be merged into one that is there: whole, so that it can be judged. */
function merged(manifest: unknown): unknown {
  const { kind, spec, ...rest } = manifest as { kind: string; spec: Record<string, unknown> };
  if (kind !== "Deployment" || "selector" in spec) return manifest;
  const labels = { app: "x" };
  const { metadata, ...template } = spec["template"] as { metadata: object };
  return {
    ...rest,
    kind,
    spec: { selector: { matchLabels: labels }, template: { ...template, metadata: { ...metadata, labels } } },
  };
}

describe("the manifests of envoy/", () => {
  it.each([
    [["kubernetes/folder/sluice.yaml"], PLANE],
    [["kubernetes/shared/sluice.yaml"], `${PLANE} --store shared`],
    [["istio/injected-env.yaml", "istio/wasmplugin.yaml"], ISTIO],
    [
      ["istio/sidecar-env.yaml", "istio/service-entry.yaml", "istio/sidecar.yaml"],
      `${ISTIO} --sidecar app=shop --namespace shop --service-entry`,
    ],
    [
      ["proxy", "calls", "extension-policy", "reload"].map((name) => `gateway/${name}.yaml`),
      `${GATEWAY} --reload-on default/eg/http`,
    ],
  ])("%s are what render prints with the names of the documents", async (files, line) => {
    expect(files.flatMap(committed)).toEqual(await rendered(line));
  });

  it("gateway-api-env.yaml is what render prints for a gateway of the Gateway API", async () => {
    const [printed] = await rendered(`${ISTIO} --gateway gateway-api`);
    expect(committed("istio/gateway-api-env.yaml")).toEqual([printed]);
  });

  const files = readdirSync(join(projectRoot, "envoy"), { recursive: true, encoding: "utf8" });
  const manifests = files.filter((file) => /^(istio|gateway|kubernetes)\/.*(?<!kustomization)\.yaml$/.test(file));
  it.each(manifests)("every manifest in %s fits its schema strictly", (file) => {
    const documents = committed(file);
    expect(documents.length).toBeGreaterThan(0);
    expect(documents.flatMap((one) => violationsOf(merged(one)))).toEqual([]);
  });

  it.each(["folder", "shared"])("the ServiceMonitor finds the Service of the %s form, and job is sluice", (form) => {
    interface Found {
      readonly kind: string;
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly ports: readonly { readonly name: string }[] };
    }
    const [monitor] = committed("prometheus/servicemonitor.yaml") as [
      { spec: { jobLabel: string; selector: { matchLabels: object }; endpoints: { port: string }[] } },
    ];
    expect(violationsOf(monitor)).toEqual([]);
    const { jobLabel, selector, endpoints } = monitor.spec;
    const services = (committed(`kubernetes/${form}/sluice.yaml`) as Found[]).filter(({ kind }) => kind === "Service");
    const scraped = services.filter(({ spec }) => spec.ports.some(({ name }) => name === endpoints[0]?.port));
    expect(scraped).toMatchObject([{ metadata: { labels: selector.matchLabels } }]);
    expect(scraped[0]?.metadata.labels[jobLabel]).toBe("sluice");
  });

  it.each(["folder", "shared"])("the kustomization of the %s form names files that are there", (form) => {
    const place = join(projectRoot, "envoy/kubernetes", form);
    const kustomization = parse(readFileSync(join(place, "kustomization.yaml"), "utf8")) as { resources: string[] };
    expect(Object.keys(kustomization)).toEqual(["apiVersion", "kind", "resources"]);
    expect(kustomization.resources.filter((name) => !existsSync(join(place, name)))).toEqual([]);
    expect(kustomization.resources).toEqual(readdirSync(place).filter((name) => name !== "kustomization.yaml"));
  });
});

describe("what sluice render prints for a cluster", () => {
  it.each([
    `${PLANE} --image-digest sha256:${DIGEST} --image-pull-secret pull --namespace limits --policy p.yaml`,
    `${PLANE} --store shared --replicas 5 --policy p.yaml`,
    `${PLANE} --openshift`,
    `${ISTIO} --image-digest ${DIGEST} --image-pull-secret pull --with-policy p.yaml --no-follow --service-entry`,
    `${ISTIO} --gateway gateway-api --workload in --namespace edge --control-plane-namespace limits`,
    `${ISTIO} --sidecar app=shop,tier=web --workload web --namespace shop`,
    `gateway --url http://files.example/sluice.wasm --image-digest ${DIGEST} --gateway in --namespace edge --name limits`,
    `${GATEWAY} --image-digest ${DIGEST} --image-pull-secret pull --namespace sluice --with-policy p.yaml`,
  ])("what render prints fits its schemas strictly: %s", async (line) => {
    const documents = await rendered(line);
    expect(documents.flatMap((one) => violationsOf(merged(one)))).toEqual([]);
  });

  it("render prints the same manifests as JSON, in one List that kubectl takes", async () => {
    const { out } = await sluice(`render ${PLANE} --json`, { env });
    expect(JSON.parse(out)).toEqual({ apiVersion: "v1", kind: "List", items: await rendered(PLANE) });
  });
});
