// The command that says what is wrong with an installation, in the order in which to mend it.
import { plainUrlOf } from "../../client/access.js";
import type { PolicyStatusAnswer, StatusAnswer } from "../../client/answers.js";
import { connect } from "../../client/connection.js";
import { timeoutMsOf, withClient } from "../../client/with-client.js";
import type { Invocation, LocalCommand } from "../../command.js";
import { done, EXIT, failed, usageFailure } from "../../failure.js";
import type { Failure, Outcome } from "../../failure.js";
import { allEdges } from "../edges-command.js";
import { wrapped } from "../../terminal/wrapping.js";
import { askEnvoy } from "./ask-envoy.js";
import { edgeFindings } from "./edge-findings.js";
import type { AskedEnvoy } from "./edge-findings.js";
import { envoyFindings } from "./envoy-findings.js";
import type { Watching } from "./envoy-findings.js";
import { withoutRepeats } from "./finding.js";
import type { Finding } from "./finding.js";
import { cannotAsk, planeFindings } from "./plane-findings.js";
import type { PlaneSaid } from "./plane-findings.js";

const INDENT = "   ";
const A_URL = "an address such as http://127.0.0.1:9901";

export const doctor: LocalCommand = {
  name: "doctor",
  summary: "say what is wrong with the installation, in the order in which to mend it",
  args: [],
  options: {
    envoy: {
      kind: "text",
      value: "URL",
      what: "look into this Envoy too: its admin interface (http://127.0.0.1:9901)",
    },
  },
  notes: [
    "It asks the control plane, and the Envoy that is named, and changes nothing. Exit code 7: there is something to mend.",
    "Mend the first one and ask again: what stands below it may follow from it.",
  ],
  example: "doctor --envoy http://127.0.0.1:9901",
  next: "sluice edges   shows what each Envoy runs",
  runLocally: async (invocation) => {
    const { text, output } = invocation;
    const url = text("envoy");
    const admin = url === undefined ? undefined : plainUrlOf(url);
    if (url !== undefined && admin === undefined) return usageFailure(`--envoy: expected ${A_URL}`);
    const plane = await askPlane(invocation);
    const findings = plane.ok ? planeFindings(plane.value) : [cannotAsk(plane.failure)];
    const watching = watchingBy(plane);
    const envoy = admin === undefined ? undefined : await lookInto(admin, watching, invocation);
    if (envoy !== undefined) findings.push(...envoy.findings);
    if (plane.ok) findings.push(...edgeFindings(plane.value.edges, plane.value.status?.time, envoy));
    const told = withoutRepeats(findings);
    tell(told, invocation);
    if (told.length > 0) return found(told.length);
    const count = watching?.size ?? 0;
    if (!output.json) output.line(`Nothing to mend: ${count === 1 ? "1 edge watches" : `${count} edges watch`}`);
    return undefined;
  },
};

/** None by a control plane that does not answer. Undefined: one that answers, and does not say it to this command. */
function watchingBy(plane: Outcome<PlaneSaid>): Watching | undefined {
  if (plane.ok) return new Set(plane.value.edges.edges.filter((edge) => edge.watching).map(({ edge }) => edge));
  return plane.failure.exit === EXIT.unreachable ? new Set() : undefined;
}

async function lookInto(
  admin: URL,
  watching: Watching | undefined,
  invocation: Invocation,
): Promise<AskedEnvoy & { readonly findings: readonly Finding[] }> {
  const connection = connect({ url: admin, tls: {} }, timeoutMsOf(invocation));
  try {
    const said = await askEnvoy(connection);
    const findings = envoyFindings(said, admin.href.replace(/\/$/, ""), watching);
    return { findings, inOrder: "failure" in said || findings.length > 0 ? undefined : said };
  } finally {
    connection.close();
  }
}

function askPlane(invocation: Invocation): Promise<Outcome<PlaneSaid>> {
  const { io } = invocation;
  return withClient(invocation, async (client) => {
    const askedMs = io.wallMs();
    const status = await known(client.call<StatusAnswer>({ method: "GET", path: "/v1/status" }, "ready"));
    if (!status.ok) return status;
    // Within the time that the call took the control plane said its own.
    const offsetMs = status.value && (askedMs + io.wallMs()) / 2 - status.value.time;
    const policy = await known(
      client.call<PolicyStatusAnswer>({ method: "GET", path: "/v1/policy/status" }, "inForce"),
    );
    if (!policy.ok) return policy;
    const edges = await allEdges(client);
    if (!edges.ok) return edges;
    return done({ status: status.value, policy: policy.value, edges: edges.value, clockOffsetMs: offsetMs });
  });
}

/** Undefined where the control plane is older and has no such route. */
async function known<Body>(answer: Promise<Outcome<Body>>): Promise<Outcome<Body | undefined>> {
  const outcome = await answer;
  if (outcome.ok) return outcome;
  return outcome.failure.code === "ROUTE_NOT_FOUND" ? done(undefined) : failed(outcome.failure);
}

function tell(findings: readonly Finding[], { output }: Invocation): void {
  findings.forEach(({ about, what, act, code }, i) => {
    if (output.json) output.document({ number: i + 1, code, about, what, act });
    else {
      // Broken between words where a terminal would break within one.
      for (const line of wrapped(`${i + 1}. ${about}: ${what}`, output.width)) output.line(line);
      for (const line of wrapped(act, output.width - INDENT.length)) output.line(INDENT + line);
    }
  });
}

const found = (count: number): Failure => ({
  exit: EXIT.findings,
  code: "FINDINGS",
  message: count === 1 ? "there is something to mend" : `there are ${count} things to mend, the first one first`,
});
