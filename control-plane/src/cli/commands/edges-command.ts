// The command `edges`: what every Envoy makes of the published policy, and who is denied.
import { offsetWords, signedSeconds } from "../../domain/clock-offset.js";
import type { Edge, EdgesAnswer, UnauthenticatedCaller } from "../client/answers.js";
import { query } from "../client/client.js";
import type { Client } from "../client/client.js";
import type { ApiCommand } from "../command.js";
import { done } from "../failure.js";
import type { Outcome } from "../failure.js";
import { timeText } from "../terminal/output.js";
import type { Cell, Colour, Column, Output } from "../terminal/output.js";

/** What an operator reads of a state. */
const STATES: Readonly<Record<string, readonly [words: string, colour?: Colour]>> = {
  current: ["current", "green"],
  waiting: ["taking it"],
  behind: ["not taken yet", "red"],
  rejected: ["rejected", "red"],
  trapped: ["trapped the filter", "red"],
  notFollowing: ["its own settings'", "yellow"],
  olderFilter: ["older filter", "yellow"],
  silent: ["silent", "red"],
};
/** Violations of an edge that are shown; --json has all of them. */
const SHOWN_VIOLATIONS = 5;

const EDGE_COLUMNS: readonly Column<Edge>[] = [
  { title: "EDGE", shrinks: true, of: ({ edge }) => edge },
  { title: "POLICY", of: stateCell },
  { title: "PUBLISHED", right: true, spare: true, of: ({ published }) => published ?? "-" },
  { title: "RUNNING", shrinks: true, of: ({ running }) => runningText(running) },
  { title: "SILENT WORKERS", right: true, of: silentCell },
  { title: "WATCHING", of: ({ watching }) => (watching ? "yes" : { text: "no", colour: "yellow" }) },
  { title: "LAG", right: true, of: ({ lag }) => lag ?? "-" },
  { title: "INSTANCES", right: true, spare: true, of: instanceCount },
  { title: "LAST REPORT", spare: true, of: ({ lastReportAt }) => timeText(lastReportAt) },
];

/** Only where there is something to warn of: the table is wide. */
const WARNINGS: Column<Edge> = { title: "WARNINGS", of: warningsCell };

const CALLER_COLUMNS: readonly Column<UnauthenticatedCaller>[] = [
  { title: "CLAIMED NAME", shrinks: true, of: ({ claimedEdge }) => (claimedEdge === "" ? "-" : claimedEdge) },
  { title: "ADDRESS", shrinks: true, of: ({ address }) => address },
  { title: "CALLS", right: true, of: ({ calls }) => calls },
  { title: "LAST CALL", of: ({ lastAt }) => timeText(lastAt) },
];

/** A newer control plane may have more states: those are shown as they are. */
function stateCell({ state }: Edge): Cell {
  const [text, colour] = STATES[state] ?? [state];
  return colour === undefined ? text : { text, colour };
}

/** Also of those that the answer leaves out. */
function instanceCount({ instances, instancesLeftOut = 0 }: Edge): number {
  return instances.length + instancesLeftOut;
}

function silentCell({ silentWorkers }: Edge): Cell {
  return silentWorkers === 0 ? 0 : { text: String(silentWorkers), colour: "red" };
}

function warningsCell({ double, clockOff }: Edge): Cell {
  const words = [...(double ? ["double"] : []), ...(clockOff === true ? ["clock"] : [])];
  return words.length === 0 ? "-" : { text: words.join(", "), colour: "red" };
}

const isWarnedOf = ({ double, clockOff }: Edge): boolean => Boolean(double) || clockOff === true;

/** `7 on 4, own on 1`: the highest generation first. */
function runningText(running: Edge["running"]): string {
  const generations = Object.entries(running).sort(([a], [b]) => Number(b) - Number(a));
  if (generations.length === 0) return "-";
  return generations
    .map(([generation, workers]) => `${generation === "0" ? "own" : generation} on ${workers}`)
    .join(", ");
}

export const edges: ApiCommand = {
  name: "edges",
  summary: "show every edge: the policy it runs, and how far it is behind",
  args: [],
  options: {},
  notes: [
    "POLICY: what the edge made of the published one. RUNNING: generation on how many workers; own: its settings', or none.",
    "SILENT WORKERS no longer report, and may serve without the filter. LAG: invalidations that it has not marked yet.",
    "WATCHING no: it receives no revocations now. WARNINGS, where there are any, are explained below the table.",
  ],
  example: "edges",
  next: "sluice policy check FILE   validates a policy before it is given to them",
  run: async ({ output }, client) => {
    const answer = await allEdges(client);
    if (!answer.ok) return answer.failure;
    const { edges: views, unauthenticated, clockOfMostMs } = answer.value;
    if (output.json) {
      for (const edge of views) output.document(edge);
      for (const caller of unauthenticated) output.document({ unauthenticated: caller });
      if (clockOfMostMs !== null) output.document({ clockOfMostMs });
      return undefined;
    }
    if (views.length === 0) output.line("No edge has called this control plane: is an Envoy running with it?");
    else output.table(views.some(isWarnedOf) ? withWarnings(EDGE_COLUMNS) : EDGE_COLUMNS, views);
    for (const edge of views) tellViolations(output, edge);
    for (const edge of views) tellWarnings(output, edge);
    tellClockOfMost(output, clockOfMostMs);
    if (unauthenticated.length > 0) {
      output.line("");
      output.line("Denied, because their secret differs from the control plane's (what they claim is not proven):");
      output.table(CALLER_COLUMNS, unauthenticated);
    }
    return undefined;
  },
};

export interface Listed {
  readonly edges: readonly Edge[];
  readonly unauthenticated: readonly UnauthenticatedCaller[];
  readonly clockOfMostMs: number | null;
}

/** A page at a time; an older control plane has one page, and no cursor. */
export async function allEdges(client: Client): Promise<Outcome<Listed>> {
  const edges: Edge[] = [];
  for (let cursor: string | undefined; ;) {
    const path = `/v1/edges${query({ cursor })}`;
    const page = await client.call<EdgesAnswer>({ method: "GET", path }, "edges");
    if (!page.ok) return page;
    edges.push(...page.value.edges);
    cursor = page.value.cursor ?? undefined;
    if (cursor !== undefined) continue;
    const { unauthenticated = [], clockOfMostMs = null } = page.value;
    return done({ edges, unauthenticated, clockOfMostMs });
  }
}

function tellViolations(output: Output, { edge, state, published, violations }: Edge): void {
  if (state !== "rejected" || violations.length === 0) return;
  output.line("");
  output.line(`${edge} rejected generation ${published ?? "-"} and runs the policy before it:`);
  for (const { path, message } of violations.slice(0, SHOWN_VIOLATIONS)) {
    output.line(path === "" ? `  ${message}` : `  ${path}: ${message}`);
  }
  const more = violations.length - SHOWN_VIOLATIONS;
  if (more > 0) output.line(`  and ${more} more: sluice edges --json has them`);
}

/** Behind the name and the status, where a terminal of 80 columns still shows it. */
function withWarnings(columns: readonly Column<Edge>[]): readonly Column<Edge>[] {
  return [...columns.slice(0, 2), WARNINGS, ...columns.slice(2)];
}

function tellWarnings(output: Output, { edge, double, clockOff, clockOffsetMs }: Edge): void {
  if (double) {
    const { tableName, addresses, since } = double;
    output.line("");
    output.line(`${edge}: two Envoys have this node.id. Give each one of its own.`);
    output.line(`  Both watch, of table ${tableName}, since ${timeText(since)}`);
    if (addresses.length > 0) output.line(`  from ${addresses.join(", ")}`);
  }
  if (clockOff === true && typeof clockOffsetMs === "number") {
    output.line("");
    output.line(`${edge}: its clock is ${offsetWords(clockOffsetMs)} the control plane's`);
    output.line(`  (${signedSeconds(clockOffsetMs)}). See that its machine's time is synchronised.`);
  }
}

function tellClockOfMost(output: Output, offsetMs: number | null): void {
  if (offsetMs === null) return;
  output.line("");
  output.line(`The clocks of most edges agree, and are ${offsetWords(offsetMs)} the`);
  output.line(`  control plane's (${signedSeconds(offsetMs)}): see that its machine's time is right.`);
}
