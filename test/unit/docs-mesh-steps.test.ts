// The steps by which the filter comes into a mesh that serves: what the pages say to run, in the order in which it does no harm.
import { expect, it } from "vitest";
import { textOf } from "./docs.js";

/** Commands of code blocks, each on one line, in the order of the page. */
function commandsOf(section: string): string[] {
  const blocks = [...section.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  return blocks.flatMap((block) => block.replaceAll("\\\n", " ").split("\n"));
}

function section(document: string, title: string): string {
  const [, after] = textOf(document).split(new RegExp(`^## ${title}$`, "m"));
  return (after ?? "").split(/^## /m)[0] ?? "";
}

it.each([
  ["docs/deploy.md", "Istio", "istio", "istio-system"],
  ["docs/deploy.md", "Envoy Gateway", "gateway", "envoy-gateway-system"],
  ["envoy/istio/README.md", "The steps", "istio", "istio-system"],
  ["envoy/gateway/README.md", "The steps", "gateway", "envoy-gateway-system"],
])(
  "%s, %s: secret and label, the environment rolled out, and the filter last",
  (document, title, command, namespace) => {
    const commands = commandsOf(section(document, title));
    const order = [
      "kubectl apply -k envoy/kubernetes/folder",
      `kubectl -n ${namespace} create secret generic sluice`,
      `kubectl label namespace ${namespace} sluice.dev/edge=true`,
      `./sluice render ${command} --image registry.example/sluice-filter:0.1.0 --only environment`,
      `kubectl -n ${namespace} rollout status deployment`,
      `kubectl -n ${namespace} get pods`,
      `./sluice render ${command} --image registry.example/sluice-filter:0.1.0 --only filter`,
    ];
    const places = order.map((begin) => commands.findIndex((one) => one.startsWith(begin)));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  },
);

it.each(["docs/deploy.md", "envoy/istio/README.md", "envoy/gateway/README.md"])(
  "%s never applies a filter together with the environment that it needs",
  (document) => {
    const applied = commandsOf(textOf(document)).filter((one) => /render (?:istio|gateway) .*kubectl apply/.test(one));
    expect(applied.length).toBeGreaterThan(1);
    expect(applied.filter((one) => !one.includes("--only "))).toEqual([]);
  },
);
