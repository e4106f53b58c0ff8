// The command that lists sessions.
import type { ApiCommand } from "../command.js";
import { usageFailure } from "../failure.js";
import { listSessions, WHOSE } from "./session-pages.js";
import { SESSION_COLUMNS } from "./session-view.js";

const DEFAULT_LIMIT = 100;
const STATES = ["live", "revoked", "expired"];

export const list: ApiCommand = {
  name: "session list",
  summary: "list sessions, the newest first",
  args: [],
  options: {
    ...WHOSE,
    state: { kind: "text", value: "STATE", values: STATES, what: "in this state: live, revoked or expired" },
    limit: { kind: "count", value: "COUNT", what: "at most so many (100)" },
    all: { kind: "flag", what: "however many there are" },
  },
  notes: [
    "By user, organisation, issuer, and by plan with --state live it is quick; else all sessions are looked through.",
  ],
  example: "session list --user ada --state live",
  next: "sluice session show ID   shows one of them in full",
  run: async (invocation, client) => {
    const { text, number, flag, output } = invocation;
    const state = text("state");
    if (flag("all") && number("limit") !== undefined) return usageFailure("--all and --limit exclude each other");
    const limit = flag("all") ? Infinity : (number("limit") ?? DEFAULT_LIMIT);
    const printed = output.json
      ? (sessions: readonly object[]): void => {
          for (const session of sessions) output.document(session);
        }
      : undefined;
    const listed = await listSessions(client, invocation, state, limit, printed);
    if (!listed.ok) return listed.failure;
    if (!output.json) output.table(SESSION_COLUMNS, listed.value.sessions);
    if (listed.value.more) output.remark("There may be more: --limit COUNT or --all");
    return undefined;
  },
};
