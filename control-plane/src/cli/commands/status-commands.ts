// The commands that look around: where a session spent, what its buckets hold, the audit log.
import type { AuditAnswer, AuditEntry, BucketsAnswer, UsageAnswer } from "../client/answers.js";
import { query, sessionPath } from "../client/client.js";
import type { ApiCommand } from "../command.js";
import { timeText } from "../terminal/output.js";
import type { Column } from "../terminal/output.js";
import { showBuckets } from "./bucket-view.js";
import { showFleet } from "./fleet-view.js";
import { SESSION_ID } from "./session-commands.js";

const DEFAULT_AUDIT = 50;
const MAX_PAGE = 1000;

export const usage: ApiCommand = {
  name: "usage",
  summary: "show where a session spent its tokens",
  args: [SESSION_ID],
  options: {},
  notes: [
    "As far as edges have reported: each does so every reportInterval of the policy (5 s).",
    "Under a plan of fleet scope also what is left of the budget, and which edges have leases of it.",
  ],
  example: "usage 019b76da-a800-7000-8000-5f6d1c2b3a49",
  next: "sluice bucket ID   shows what it has left at each edge",
  run: async ({ args: [id = ""], output }, client) => {
    const answer = await client.call<UsageAnswer>({ method: "GET", path: sessionPath(id, "/usage") }, "edges");
    if (!answer.ok) return answer.failure;
    const { consumed, direct, edges, fleet } = answer.value;
    if (output.json) output.document(answer.value);
    else {
      const rows = edges.flatMap(({ edge, instances }) => instances.map((instance) => ({ edge, ...instance })));
      const columns: Column<(typeof rows)[number]>[] = [
        { title: "EDGE", shrinks: true, of: ({ edge }) => edge },
        { title: "INSTANCE", of: ({ instance }) => instance },
        { title: "CONSUMED", right: true, of: (row) => row.consumed },
        { title: "LAST ACTIVITY", of: ({ lastActivity }) => timeText(lastActivity) },
        { title: "LAST REPORT", spare: true, of: ({ lastReport }) => timeText(lastReport) },
      ];
      output.line(`${consumed} tokens consumed, ${direct} of them through the API`);
      if (rows.length > 0) output.table(columns, rows);
      if (fleet === undefined) return undefined;
      output.line("");
      showFleet(fleet, output);
    }
    return undefined;
  },
};

export const bucket: ApiCommand = {
  name: "bucket",
  summary: "show what a session's buckets hold, by edge and limit",
  args: [SESSION_ID],
  options: {},
  notes: [
    "As last reported, refilled to now. At an edge that is not shown the buckets are full.",
    "Under a plan of fleet scope all edges have one budget: what is left of it, and which edges have leases.",
  ],
  example: "bucket 019b76da-a800-7000-8000-5f6d1c2b3a49",
  next: "sluice session change-plan ID --plan NAME   gives the session another bucket",
  run: async ({ args: [id = ""], output }, client) => {
    const answer = await client.call<BucketsAnswer>({ method: "GET", path: sessionPath(id, "/bucket") }, "buckets");
    if (!answer.ok) return answer.failure;
    const { buckets, fleet } = answer.value;
    if (output.json) for (const one of fleet === undefined ? buckets : [{ fleet }]) output.document(one);
    else if (fleet === undefined) showBuckets(buckets, output);
    else showFleet(fleet, output);
    return undefined;
  },
};

const AUDIT_COLUMNS: readonly Column<AuditEntry>[] = [
  { title: "NUMBER", right: true, of: ({ number }) => number },
  { title: "WHEN", of: ({ at }) => timeText(at) },
  { title: "WHO", of: ({ actor }) => actor },
  { title: "WHAT", of: ({ action }) => action },
  { title: "SESSION", of: ({ sessionId }) => sessionId ?? "-" },
  { title: "DETAILS", of: ({ details }) => detailText(details) },
];

const detailText = (details: AuditEntry["details"]): string =>
  Object.entries(details)
    .map(([name, value]) => `${name}=${value ?? "-"}`)
    .join(" ") || "-";

export const audit: ApiCommand = {
  name: "audit",
  summary: "show who revoked, changed plans and re-issued tokens, and which policies came; the newest first",
  args: [],
  options: { limit: { kind: "count", value: "COUNT", what: "at most so many entries (50)" } },
  notes: ["WHO is the kind of admin token and the first 8 hex digits of its SHA-256."],
  example: "audit --limit 10",
  next: "sluice session show ID   shows the session that an entry is about",
  run: async ({ number, output }, client) => {
    const entries: AuditEntry[] = [];
    let cursor: string | null | undefined;
    const limit = number("limit") ?? DEFAULT_AUDIT;
    while (entries.length < limit && cursor !== null) {
      const path = `/v1/audit${query({ limit: Math.min(MAX_PAGE, limit - entries.length), cursor })}`;
      const page = await client.call<AuditAnswer>({ method: "GET", path }, "entries");
      if (!page.ok) return page.failure;
      entries.push(...page.value.entries);
      cursor = page.value.cursor;
    }
    if (output.json) for (const entry of entries) output.document(entry);
    else output.table(AUDIT_COLUMNS, entries);
    return undefined;
  },
};
