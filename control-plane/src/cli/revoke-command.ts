// The command that revokes: some sessions by id, or all of a user or an organisation, followed to the end.
import type { Revocation, RevocationAnswer } from "./answers.js";
import { query, sessionPath } from "./client.js";
import type { Client } from "./client.js";
import type { ApiCommand, Invocation } from "./command.js";
import { EXIT, usageFailure } from "./failure.js";
import type { Failure, Outcome } from "./failure.js";

/** A revocation of a thousand sessions takes about as long. */
const FIRST_LOOK_MS = 100;
const LOOK_EVERY_MS = 1000;

export const revoke: ApiCommand = {
  name: "session revoke",
  summary: "end sessions on every edge, for good",
  args: [{ name: "ID", what: "a session's id", optional: true, many: true }],
  options: {
    user: { kind: "text", value: "ID", what: "instead of ids: all sessions of this user" },
    org: { kind: "text", value: "ID", what: "instead of ids: all sessions of this organisation" },
    "no-wait": { kind: "flag", what: "with --user or --org: do not wait until all are revoked" },
  },
  notes: [
    "Repeating it does no harm. By --user or --org it means the sessions that there are now; the control plane carries",
    "it out even if this command is stopped. GET /v1/revocations/ID, with the id that --no-wait prints, says how far it",
    "is.",
  ],
  example: "session revoke --user ada",
  next: "sluice audit   shows who revoked what, and when",
  run: async (invocation, client) => {
    const { args, text } = invocation;
    const user = text("user");
    const org = text("org");
    const ways = [args.length > 0, user !== undefined, org !== undefined].filter(Boolean).length;
    if (ways !== 1) return usageFailure("expected ids, or --user, or --org", "See: sluice session revoke --help");
    return args.length > 0
      ? revokeEach(invocation, client)
      : revokeAll(invocation, client, { userId: user, orgId: org });
  },
};

/** Goes on after one that there is not, and then fails; any other failure would only repeat itself. */
async function revokeEach({ args, output }: Invocation, client: Client): Promise<Failure | undefined> {
  let refused: Failure | undefined;
  for (const id of args) {
    const answer = await client.call({ method: "DELETE", path: sessionPath(id) }, null);
    if (answer.ok) {
      if (output.json) output.document({ id, revoked: true });
      else output.line(`${id} is revoked`);
      continue;
    }
    if (answer.failure.exit !== EXIT.refused) return answer.failure;
    if (output.json) output.document({ id, revoked: false, code: answer.failure.code });
    else output.remark(`${id}: ${answer.failure.code}`);
    refused = answer.failure;
  }
  return refused;
}

async function revokeAll(
  invocation: Invocation,
  client: Client,
  whose: { readonly userId: string | undefined; readonly orgId: string | undefined },
): Promise<Failure | undefined> {
  const path = `/v1/sessions${query(whose)}`;
  const begun = await client.call<RevocationAnswer>({ method: "DELETE", path }, "revocation");
  if (!begun.ok) return begun.failure;
  const { flag, output } = invocation;
  const ended = flag("no-wait") ? begun : await followed(begun.value, invocation, client);
  if (!ended.ok) return ended.failure;
  if (output.json) output.document(ended.value);
  else output.line(sentence(ended.value.revocation));
  return undefined;
}

async function followed(
  begun: RevocationAnswer,
  { io, output }: Invocation,
  client: Client,
): Promise<Outcome<RevocationAnswer>> {
  let last = begun;
  for (let waitMs = FIRST_LOOK_MS; last.revocation.state !== "finished"; waitMs = LOOK_EVERY_MS) {
    await io.sleep(waitMs);
    const { id } = last.revocation;
    const path = `/v1/revocations/${encodeURIComponent(id)}`;
    const answer = await client.call<RevocationAnswer>({ method: "GET", path }, "revocation");
    if (!answer.ok) return answer;
    const { state, examined } = answer.value.revocation;
    if (state === "running" && examined > last.revocation.examined) output.remark(sentence(answer.value.revocation));
    last = answer.value;
  }
  return { ok: true, value: last };
}

function sentence({ id, state, examined, revoked }: Revocation): string {
  return `revocation ${id} is ${state}: ${examined} sessions looked at, ${revoked} revoked by it`;
}
