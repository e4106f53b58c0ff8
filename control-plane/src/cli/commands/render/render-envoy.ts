// The command that prints a whole configuration for a plain Envoy: envoy.yaml with the operator's names in it.
import { isIP } from "node:net";
import { parse } from "yaml";
import { edgeSettings } from "../../../render/edge-settings.js";
import { envoyBootstrap, type EnvoyOptions } from "../../../render/envoy-bootstrap.js";
import { readOr } from "../document-source.js";
import type { Invocation, LocalCommand, Options } from "../../command.js";
import { done, failed, usageFailure } from "../../failure.js";
import type { Outcome } from "../../failure.js";
import {
  FILTER_NOTE,
  MAX_PORT,
  namedViolation,
  NOTHING_ASKED,
  readChoices,
  readEndpoint,
  SETTINGS_OPTIONS,
} from "./render-options.js";

/** The filter rejects a longer one. */
const MAX_NODE_ID_BYTES = 256;

const ENVOY_OPTIONS: Options = {
  filter: { kind: "text", value: "PATH", what: "the compiled filter, as Envoy sees it (build/sluice.wasm)" },
  "followed-file": {
    kind: "text",
    value: "PATH",
    what: "the filter comes from this ecds-file instead, and follows it",
  },
  upstream: { kind: "text", value: "HOST:PORT", what: "the service that is protected (127.0.0.1:8000)" },
  "control-plane": { kind: "text", value: "HOST:PORT", what: "where the control plane is (127.0.0.1:8080)" },
  "node-id": { kind: "text", value: "ID", what: "this Envoy's name, another for each (sluice-edge)" },
  listen: { kind: "text", value: "IP:PORT", what: "the address where clients connect (127.0.0.1:10000)" },
  "admin-port": {
    kind: "count",
    value: "PORT",
    most: MAX_PORT,
    what: "of Envoy's admin interface, on loopback (9901)",
  },
};

export const renderEnvoy: LocalCommand = {
  name: "render envoy",
  summary: "print a whole configuration for a plain Envoy: envoy.yaml with your names in it",
  args: [],
  options: { ...ENVOY_OPTIONS, ...SETTINGS_OPTIONS },
  notes: [NOTHING_ASKED, FILTER_NOTE],
  example: "render envoy --node-id gw-1 --upstream 10.0.0.7:8000 --control-plane 10.0.0.8:8080",
  next: "SLUICE_SECRET=… envoy -c envoy.yaml   with the secret that the control plane has",
  runLocally: async (invocation) => {
    const { output, io } = invocation;
    const names = readNames(invocation);
    if (!names.ok) return names.failure;
    const choices = await readChoices(invocation);
    if (!choices.ok) return choices.failure;
    const template = await readOr("envoy.yaml", io.readTemplate);
    if (!template.ok) return template.failure;
    const yaml = envoyBootstrap({ ...names.value, settings: edgeSettings(choices.value) }, template.value);
    if (output.json) output.document(parse(yaml));
    else io.out(yaml);
    return undefined;
  },
};

function readNames(invocation: Invocation): Outcome<EnvoyOptions> {
  const { text, number } = invocation;
  const [nodeId, filterPath, followedFile] = [text("node-id"), text("filter"), text("followed-file")];
  const violation =
    namedViolation("node-id", nodeId, isNodeId, `at most ${MAX_NODE_ID_BYTES} bytes`) ??
    namedViolation(
      "cluster",
      text("cluster"),
      (name) => name !== "upstream",
      "another name: upstream is the service's",
    ) ??
    (followedFile !== undefined && holdsFilter(invocation)
      ? "--followed-file names what holds the filter and its settings: give those to sluice render ecds-file"
      : undefined);
  if (violation !== undefined) return failed(usageFailure(violation));
  const upstream = readEndpoint("upstream", text("upstream"));
  if (!upstream.ok) return upstream;
  const controlPlane = readEndpoint("control-plane", text("control-plane"));
  if (!controlPlane.ok) return controlPlane;
  const listen = readEndpoint("listen", text("listen"));
  if (!listen.ok) return listen;
  if (listen.value !== undefined && isIP(listen.value.host) === 0) {
    return failed(usageFailure("--listen: expected an address of this machine, such as 127.0.0.1:10000, and no name"));
  }
  return done({
    ...{ nodeId, filterPath, followedFile, adminPort: number("admin-port") },
    ...{ bind: listen.value?.host, proxyPort: listen.value?.port },
    ...{ upstream: upstream.value, controlPlane: controlPlane.value },
  });
}

const isNodeId = (id: string): boolean => Buffer.byteLength(id) <= MAX_NODE_ID_BYTES;

/** Not the cluster: its name stands in the bootstrap too. */
const holdsFilter = ({ text, number, flag }: Invocation): boolean =>
  [text("filter"), text("table"), text("with-policy"), number("capacity")].some((one) => one !== undefined) ||
  flag("no-follow");
