// What is wrong with edges, as the control plane sees them: nobody calls, a secret differs, one runs another policy.
import { offsetWords } from "../../../domain/clock-offset.js";
import type { Edge, EdgesAnswer, UnauthenticatedCaller } from "../../client/answers.js";
import { timeText } from "../../terminal/output.js";
import type { EnvoySaid } from "./ask-envoy.js";
import type { Finding } from "./finding.js";

/** A caller that was denied and has not come again for so long was mended, or is gone. */
const STILL_DENIED_MS = 120_000;

/** The Envoy that was asked itself. */
export interface AskedEnvoy {
  /** Undefined: there is something to mend in itself. Then it need not have called. */
  readonly inOrder: EnvoySaid | undefined;
}

/**
 * @param nowMs by the control plane's clock; undefined: an older one, which does not say
 * @param asked undefined: none was
 */
export function edgeFindings(
  { edges, unauthenticated = [] }: EdgesAnswer,
  nowMs: number | undefined,
  asked: AskedEnvoy | undefined,
): Finding[] {
  const denied = unauthenticated.filter(({ lastAt }) => nowMs === undefined || nowMs - lastAt <= STILL_DENIED_MS);
  return [
    ...denied.map(secretDiffers),
    ...missing(asked, new Set([...edges.map(({ edge }) => edge), ...denied.map(({ claimedEdge }) => claimedEdge)])),
    ...edges.flatMap(ofEdge),
  ];
}

/** @param callers whoever has called this control plane, also those that were denied */
function missing(asked: AskedEnvoy | undefined, callers: ReadonlySet<string>): Finding[] {
  if (asked?.inOrder !== undefined) return callers.has(asked.inOrder.nodeId) ? [] : [callsAnother(asked.inOrder)];
  if (callers.size > 0) return [];
  const more = asked === undefined ? "sluice doctor --envoy URL looks into one" : "first mend the one that was asked";
  const what = "no edge has called this control plane";
  return [{ code: "NO_EDGES", about: "edges", what, act: `Start an Envoy with the filter; ${more}` }];
}

function callsAnother({ nodeId, filters, clusters }: EnvoySaid): Finding {
  const called = new Set(filters.map(({ cluster }) => cluster));
  const calls = [...called].map(
    (name) => `its cluster ${name} calls ${clusters.get(name)?.hosts.join(", ") ?? "nobody"}`,
  );
  return {
    code: "EDGE_UNKNOWN",
    about: `edge ${nodeId}`,
    what: `${calls.join(", ")}, and this control plane has not heard of this Envoy`,
    act: "Is that this control plane, the one of SLUICE_URL? If so, ask again in some seconds; else change one of the two",
  };
}

function secretDiffers({ claimedEdge, address, calls, lastAt }: UnauthenticatedCaller): Finding {
  return {
    code: "SECRET_DIFFERS",
    about: claimedEdge === "" ? `a caller from ${address}` : `edge ${claimedEdge}`,
    what: `its secret is not the control plane's: ${calls} calls from ${address} were denied, last ${timeText(lastAt)}`,
    act: "Give that Envoy the control plane's SLUICE_SECRET, and restart it",
  };
}

function ofEdge(edge: Edge): Finding[] {
  return [...double(edge), ...clock(edge), ...state(edge), ...workers(edge)].map((found) => ({
    ...found,
    about: `edge ${edge.edge}`,
  }));
}

type Found = Omit<Finding, "about">;

function double({ double: twice }: Edge): Found[] {
  if (!twice) return [];
  const from = twice.addresses.length === 0 ? "" : ` (${twice.addresses.join(", ")})`;
  const what = `two Envoys have this node.id${from}`;
  return [
    { code: "DOUBLE_NODE_ID", what, act: "Give each one of its own: docs/operations.md#two-envoys-with-one-nodeid" },
  ];
}

function clock({ clockOff, clockOffsetMs }: Edge): Found[] {
  if (clockOff !== true || typeof clockOffsetMs !== "number") return [];
  const what = `its clock is ${offsetWords(clockOffsetMs)} the control plane's`;
  return [{ code: "CLOCK_OFF", what, act: "Synchronise the time of its machine" }];
}

function state({ state: is, published, violations, lastReportAt, watching }: Edge): Found[] {
  const first = violations[0];
  const generation = `generation ${published ?? "-"}`;
  switch (is) {
    case "silent": {
      const what = `it is silent: it does not watch, and reported last ${timeText(lastReportAt)}`;
      return [{ code: "EDGE_SILENT", what, act: "Is that Envoy running, and does it reach the control plane?" }];
    }
    case "rejected": {
      const why = first === undefined ? "" : `: ${first.path === "" ? "" : `${first.path}: `}${first.message}`;
      const what = `it rejected the policy of ${generation}${why}`;
      return [{ code: "EDGE_REJECTED_POLICY", what, act: "Its filter is of another version: give it this one's" }];
    }
    case "trapped": {
      const what = `its filter trapped on the policy of ${generation}`;
      return [{ code: "FILTER_TRAPPED", what, act: "Go back to the policy before, and report it with Envoy's log" }];
    }
    case "behind": {
      const what = `it has not taken the policy of ${generation}`;
      return [{ code: "EDGE_BEHIND", what, act: "See that Envoy's log, component wasm" }];
    }
    case "olderFilter": {
      const act = "Give that Envoy this version's filter: docs/operations.md#another-build-of-the-filter";
      return [{ code: "OLDER_FILTER", what: "its filter is older and takes no policy", act }];
    }
    case "current":
    case "waiting":
    // By its own settings: it is meant.
    case "notFollowing":
      return watching ? [] : [NOT_WATCHING];
  }
}

const NOT_WATCHING: Found = {
  code: "NOT_WATCHING",
  what: "it does not watch: it receives no revocations now",
  act: "Ask again in some seconds; if it stays so, see that Envoy's log, component wasm",
};

function workers({ silentWorkers }: Edge): Found[] {
  if (silentWorkers === 0) return [];
  const what = `${silentWorkers} of its workers no longer report, and may serve without the filter`;
  return [{ code: "WORKERS_SILENT", what, act: "Restart that Envoy: docs/operations.md#the-alarm-that-must-exist" }];
}
