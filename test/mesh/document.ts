// docs/verified.md, as a run with --write makes it: nothing in it is written by hand.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../scripts/project-root.js";
import { ENVOY_GATEWAY, GATEWAY_API, ISTIO, PROMETHEUS_OPERATOR } from "../../scripts/mesh/versions.js";
import type { Check, Checks } from "./checks.js";
import type { Kit } from "./site.js";

const HEAD = `# What was verified, and where

\`npm test\` runs on one machine without a cluster. \`npm run verify:mesh\` runs what a mesh consists of, for real, and writes
this page: \`npm run verify:mesh -- --write\`. It builds those programs once, which takes half an hour and needs Go, and
Linux. [Why it is apart](decisions/0091-a-mesh-is-verified-apart.md).`;

/** A way to deploy, and the step of the run that has it; without a step nothing here runs it. */
interface Form {
  readonly name: string;
  readonly steps: readonly string[];
  readonly where: string;
}

const CLUSTER = "a real API server and etcd; no kubelet and no controllers, so no pod was started";

const FORMS: readonly Form[] = [
  { name: "Manifests for Kubernetes, Istio, Envoy Gateway, Prometheus", steps: ["API server"], where: CLUSTER },
  { name: "Helm chart", steps: ["Helm chart"], where: CLUSTER },
  {
    name: "Istio, a gateway with an injected proxy",
    steps: ["Istio"],
    where:
      "a real istiod, its agent with a stock Envoy, a registry and the API server, on one machine; its environment and annotation were given by hand",
  },
  {
    name: "Istio, a gateway of the Gateway API",
    steps: ["Istio, Gateway API"],
    where: "the Deployment that istiod writes was looked at; its pod was not started",
  },
  {
    name: "Envoy Gateway",
    steps: ["Envoy Gateway"],
    where: "a real Envoy Gateway, a stock Envoy with the arguments of its Deployment, a registry and the API server",
  },
];

const NOT_RUN: readonly (readonly [form: string, what: string])[] = [
  ["Istio's injector", "not run: that it keeps what injected-env.yaml says is Istio's promise"],
  ["Istio, sidecars", "not run with an istiod; the filter is the same, the listener another"],
  ["Istio, ambient mode and waypoints", "not run"],
  [
    "Istio's own build of Envoy",
    "not run: a stock Envoy stands for it, without Istio's filters for metrics and metadata",
  ],
  ["A whole cluster with nodes", "not run: nothing here pulls an image of the control plane or starts a pod"],
  ["NetworkPolicy", "accepted by the API server; nothing here enforces one"],
];

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

function outcomeOf(checks: readonly Check[], steps: readonly string[], date: string): string {
  const own = checks.filter(({ step }) => steps.includes(step));
  const failed = own.filter(({ outcome }) => outcome === "failed").length;
  const passed = own.filter(({ outcome }) => outcome === "passed").length;
  if (passed + failed === 0) return "not run";
  return `${date}: ${passed} of ${passed + failed} passed`;
}

const versionsOf = ({ tools, envoy }: Kit): readonly (readonly string[])[] => [
  ...Object.entries(tools).map(([name, { version }]) => [`\`${name}\``, version] as const),
  ["Envoy", envoy.version],
  ["definitions of Istio", ISTIO],
  ["definitions of the Gateway API", GATEWAY_API],
  ["definitions of Envoy Gateway", ENVOY_GATEWAY],
  ["definitions of the Prometheus operator", PROMETHEUS_OPERATOR],
  ["Node", process.version],
];

/** In a cell a pipe would end it. */
const cell = (text: string): string => text.replaceAll("|", "\\|");

function stepText(step: string, checks: readonly Check[]): string {
  const rows = checks
    .filter((one) => one.step === step)
    .map(({ name, outcome, reason }) => [cell(name), reason === "" ? outcome : `${outcome}: ${cell(reason)}`]);
  return `### ${step}\n\n${table(["check", "outcome"], rows)}`;
}

export function documentOf(kit: Kit, { all, summary }: Checks, date: string): string {
  const forms = FORMS.map(({ name, steps, where }) => [name, where, outcomeOf(all, steps, date)]);
  const others = NOT_RUN.map(([name, what]) => [name, what, "not run"]);
  const steps = [...new Set(all.map(({ step }) => step))];
  return [
    HEAD,
    `## Forms of delivery\n\n${table(["form", "run where", "outcome"], [...forms, ...others])}`,
    `## Versions\n\n${table(["part", "version"], versionsOf(kit))}`,
    `## The checks of ${date}\n\n${summary}.`,
    ...steps.map((step) => stepText(step, all)),
  ].join("\n\n");
}

export function writeDocument(kit: Kit, checks: Checks): void {
  const date = new Date().toISOString().slice(0, "2026-01-31".length);
  writeFileSync(join(projectRoot, "docs/verified.md"), `${documentOf(kit, checks, date)}\n`);
}
