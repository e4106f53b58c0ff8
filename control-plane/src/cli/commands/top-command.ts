// The command that shows the busiest sessions: a live table, or once for scripts.
import type { Client } from "../client/client.js";
import type { ApiCommand, Invocation } from "../command.js";
import { done, usageFailure } from "../failure.js";
import type { Failure, Outcome } from "../failure.js";
import type { Column } from "../terminal/output.js";
import { listSessions, WHOSE } from "./session-pages.js";
import { SessionRates } from "./session-rates.js";
import type { Reading, SessionRate } from "./session-rates.js";

const DEFAULT_ROWS = 20;
/** Two lines of a screen are the head and the columns' titles; one is left to the cursor. */
const OTHER_LINES = 3;
const DEFAULT_INTERVAL_MS = 1000;
/** Edges report each 5 s by default: in 6 s each has. Where they report less often, so much longer than their interval. */
const ONCE_INTERVAL_MS = 6000;
const ONCE_INTERVALS = 1.2;
/** The newest sessions that are read each time: five pages. */
const MAX_SESSIONS = 5000;
const HOME = "\x1b[H";
const CLEAR = "\x1b[2J";
const CLEAR_BELOW = "\x1b[J";
const CLEAR_LINE_END = "\x1b[K";

const COLUMNS: readonly Column<SessionRate>[] = [
  { title: "TOKENS/S", right: true, of: ({ tokensPerSecond }) => tokensPerSecond.toFixed(1) },
  { title: "CONSUMED", right: true, of: ({ session }) => session.tokens.consumed },
  { title: "PLAN", shrinks: true, spare: true, of: ({ session }) => session.plan },
  { title: "USER", shrinks: true, of: ({ session }) => session.userId },
  { title: "ORG", shrinks: true, spare: true, of: ({ session }) => session.orgId },
  { title: "ID", of: ({ session }) => session.id },
];

export const top: ApiCommand = {
  name: "top",
  summary: "show the live sessions that spend most, as a table that refreshes itself",
  args: [],
  options: {
    ...WHOSE,
    interval: {
      kind: "seconds",
      value: "SECONDS",
      least: 0.2,
      most: 3600,
      what: "between two reads (1; with --once 6, or 1.2 times the reportInterval)",
    },
    limit: {
      kind: "count",
      value: "COUNT",
      most: MAX_SESSIONS,
      what: "so many sessions (20, or what the screen holds)",
    },
    once: { kind: "flag", what: "print one table from two reads, and end" },
  },
  notes: [
    "Sorted by tokens consumed per second, as far as edges have reported (each reportInterval, 5 s): on the screen over",
    "the last 30 s of reports, with --once over those between the two reads. The 5,000 newest live sessions are read.",
    "Ctrl-C ends it.",
  ],
  example: "top --once --limit 5",
  next: "sluice usage ID   shows at which edge a session spends",
  run: (invocation, client) => {
    const { flag, io, output } = invocation;
    if (flag("once")) return showOnce(invocation, client);
    if (output.json || !io.isTerminal) {
      return Promise.resolve(usageFailure("the live table needs a terminal and no --json: add --once"));
    }
    return showLive(invocation, client);
  },
};

async function showOnce(invocation: Invocation, client: Client): Promise<Failure | undefined> {
  const { io, number, output } = invocation;
  const rates = new SessionRates();
  const before = await read(invocation, client);
  if (!before.ok) return before.failure;
  rates.add(before.value);
  const allReportedMs = Math.round(ONCE_INTERVALS * (before.value.reportIntervalMs ?? 0));
  await io.sleep(intervalMs(invocation, Math.max(ONCE_INTERVAL_MS, allReportedMs)));
  const now = await read(invocation, client);
  if (!now.ok) return now.failure;
  rates.add(now.value);
  const rows = rates.busiest(now.value).slice(0, number("limit") ?? DEFAULT_ROWS);
  if (output.json) for (const row of rows) output.document(row);
  else output.table(COLUMNS, rows);
  if (now.value.more) output.remark(`Only the ${now.value.sessions.length} newest live sessions were read`);
  return undefined;
}

async function showLive(invocation: Invocation, client: Client): Promise<Failure | undefined> {
  const { io } = invocation;
  const interrupted = io.interruption();
  const rates = new SessionRates();
  io.out(CLEAR);
  while (!interrupted.aborted) {
    const reading = await read(invocation, client);
    if (!reading.ok) return reading.failure;
    rates.add(reading.value);
    io.out(screen(invocation, rates, reading.value));
    await io.sleep(intervalMs(invocation, DEFAULT_INTERVAL_MS), interrupted);
  }
  return undefined;
}

/** The whole screen, drawn over the last one so that it does not flicker. */
function screen({ io, number, output }: Invocation, rates: SessionRates, now: Reading): string {
  const rows = Math.min(number("limit") ?? Infinity, Math.max(1, io.rows() - OTHER_LINES));
  const shown = rates.busiest(now).slice(0, rows);
  const head = `${now.sessions.length}${now.more ? " newest" : ""} live sessions; rates over 30 s of reports; Ctrl-C ends`;
  const lines = [head.slice(0, output.width), ...output.screenLines(COLUMNS, shown)];
  return HOME + lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join("") + CLEAR_BELOW;
}

async function read(invocation: Invocation, client: Client): Promise<Outcome<Reading>> {
  const listed = await listSessions(client, invocation, "live", MAX_SESSIONS);
  if (!listed.ok) return listed;
  return done({ ...listed.value, atMs: invocation.io.monotonicMs() });
}

function intervalMs({ number }: Invocation, byDefault: number): number {
  const seconds = number("interval");
  return seconds === undefined ? byDefault : seconds * 1000;
}
