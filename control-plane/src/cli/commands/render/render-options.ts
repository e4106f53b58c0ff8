// What the render commands take: the choices of the edge settings, addresses, labels; one sentence says what is wrong with one.
import { MAX_NAME_CHARS, MAX_TABLE_CAPACITY, MIN_TABLE_CAPACITY } from "../../../../../assembly/contract.js";
import type { EdgeChoices } from "../../../render/edge-settings.js";
import type { Endpoint } from "../../../render/envoy-bootstrap.js";
import type { Invocation, Options } from "../../command.js";
import { done, failed, usageFailure } from "../../failure.js";
import type { Outcome } from "../../failure.js";
import { readPolicyFile } from "./render-policy.js";

export const NOTHING_ASKED = "Asks no control plane, and needs no token.";
export const FILTER_NOTE = "Envoy never loads a file name twice: give each build of the filter a name of its own.";
export const MAX_PORT = 65535;
const MAX_CLUSTER_CHARS = 256;

/** Of every render command. */
export const SETTINGS_OPTIONS: Options = {
  cluster: { kind: "text", value: "NAME", what: "Envoy's cluster that leads to the control plane" },
  table: { kind: "text", value: "NAME", what: "name of the session table (default)" },
  capacity: {
    kind: "count",
    value: "SESSIONS",
    least: MIN_TABLE_CAPACITY,
    most: MAX_TABLE_CAPACITY,
    what: "sessions that the table has room for, a power of two (65536)",
  },
  "no-follow": { kind: "flag", what: "the policy given here holds for good, whatever the control plane has" },
  "with-policy": { kind: "text", value: "FILE", what: "a policy that holds until the control plane's is there" },
};

/** The edge settings that were chosen; the policy, if one was, validated. */
export async function readChoices(invocation: Invocation): Promise<Outcome<EdgeChoices>> {
  const { text, number, flag } = invocation;
  const [cluster, tableName, tableCapacity] = [text("cluster"), text("table"), number("capacity")];
  const violation =
    namedViolation("cluster", cluster, isCluster, `1 to ${MAX_CLUSTER_CHARS} visible ASCII characters`) ??
    namedViolation("table", tableName, isName, `1 to ${MAX_NAME_CHARS} of a-z, 0-9 and "-"`) ??
    capacityViolation(tableCapacity);
  if (violation !== undefined) return failed(usageFailure(violation));
  const policyFile = text("with-policy");
  if (policyFile === undefined && flag("no-follow")) {
    return failed(usageFailure("--no-follow needs --with-policy: without one the edge would have no policy at all"));
  }
  const choices = { cluster, tableName, tableCapacity, follow: !flag("no-follow") };
  if (policyFile === undefined) return done(choices);
  const policy = await readPolicyFile(policyFile, invocation);
  return policy.ok ? done({ ...choices, policy: policy.value }) : policy;
}

/** Of the validator's own rules, so that what is printed is never rejected for a name. */
const isCluster = (name: string): boolean => /^[\x21-\x7e]+$/.test(name) && name.length <= MAX_CLUSTER_CHARS;
const isName = (name: string): boolean => /^[a-z0-9-]+$/.test(name) && name.length <= MAX_NAME_CHARS;

export function namedViolation(
  option: string,
  value: string | undefined,
  is: (value: string) => boolean,
  expected: string,
): string | undefined {
  return value === undefined || is(value) ? undefined : `--${option}: expected ${expected}`;
}

function capacityViolation(capacity: number | undefined): string | undefined {
  const isPower = capacity === undefined || (capacity & (capacity - 1)) === 0;
  return isPower ? undefined : "--capacity: expected a power of two";
}

/** `host:port`, `1.2.3.4:port` or `[::1]:port`; undefined where it was not given. */
export function readEndpoint(option: string, text: string | undefined): Outcome<Endpoint | undefined> {
  if (text === undefined) return done(undefined);
  const [, v6, name, digits = ""] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [v6 ?? name, Number(digits)];
  if (host !== undefined && port >= 1 && port <= MAX_PORT) return done({ host, port });
  return failed(usageFailure(`--${option}: expected HOST:PORT, such as 10.0.0.7:8080 or [::1]:8080`));
}

/** `key=value`, several with commas between them. */
export function readLabels(option: string, text: string | undefined): Outcome<Record<string, string>> {
  const pairs = (text ?? "").split(",").filter((pair) => text !== undefined || pair !== "");
  const labels: [string, string][] = [];
  for (const pair of pairs) {
    const [, key, value] = /^((?:[a-z0-9.-]+\/)?[A-Za-z0-9][\w.-]*)=([A-Za-z0-9][\w.-]*)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined) {
      return failed(usageFailure(`--${option}: expected KEY=VALUE, such as istio=ingressgateway`));
    }
    labels.push([key, value]);
  }
  return done(Object.fromEntries(labels));
}
