// The command that revokes: sessions by id, or all of a user or an organisation; it waits until edges have confirmed.
import { readWait, WAIT_FORM } from "../../domain/revocation-wait.js";
import type { ApiCommand } from "../command.js";
import { usageFailure } from "../failure.js";
import { revokeAll } from "./revoke-all.js";
import { revokeEach } from "./revoke-each.js";

const DEFAULT_WAIT = "5s";
const SEE = "See: sluice session revoke --help";

export const revoke: ApiCommand = {
  name: "session revoke",
  summary: "end sessions on every edge, for good",
  args: [{ name: "ID", what: "a session's id", optional: true, many: true }],
  options: {
    user: { kind: "text", value: "ID", what: "instead of ids: all sessions of this user" },
    org: { kind: "text", value: "ID", what: "instead of ids: all sessions of this organisation" },
    wait: {
      kind: "text",
      value: "DURATION",
      what: `how long to wait until every edge has confirmed (${DEFAULT_WAIT}; up to 20s)`,
    },
    "no-wait": { kind: "flag", what: "wait neither for edges nor, with --user or --org, until all are revoked" },
  },
  notes: [
    "It says which edges have confirmed: those deny the sessions from now on. Where some have not, the exit code is 6:",
    "the revocation stands, and they may still admit the sessions until they receive it. Repeating it does no harm.",
    "",
    "By --user or --org it means the sessions that there are now; the control plane carries it out even if this command",
    "is stopped. GET /v1/revocations/ID, with the id that --no-wait prints, says how far it is.",
  ],
  example: "session revoke --user ada --wait 2s",
  next: "sluice audit   shows who revoked what, and when",
  run: async (invocation, client) => {
    const { args, text, flag } = invocation;
    const [user, org, wait] = [text("user"), text("org"), text("wait")];
    const ways = [args.length > 0, user !== undefined, org !== undefined].filter(Boolean).length;
    if (ways !== 1) return usageFailure("expected ids, or --user, or --org", SEE);
    if (wait !== undefined && flag("no-wait")) return usageFailure("--wait and --no-wait exclude each other", SEE);
    const waitMs = readWait(wait ?? DEFAULT_WAIT);
    if (waitMs === undefined) return usageFailure(`--wait: expected ${WAIT_FORM}`, SEE);
    const waited = flag("no-wait") ? null : waitMs;
    return args.length > 0
      ? revokeEach(invocation, client, waited)
      : revokeAll(invocation, client, { userId: user, orgId: org }, waited);
  },
};
