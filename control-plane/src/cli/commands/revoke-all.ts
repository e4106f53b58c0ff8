// Revokes all sessions of a user or an organisation, follows that to its end, and then waits until edges have confirmed.
import type { Revocation, RevocationAnswer } from "../client/answers.js";
import { query } from "../client/client.js";
import type { Client } from "../client/client.js";
import type { Invocation } from "../command.js";
import { confirmationText, unconfirmed, withinText } from "./confirmation.js";
import type { Failure, Outcome } from "../failure.js";

/** A revocation of a thousand sessions takes about as long, and so does an edge's confirmation. */
const FIRST_LOOK_MS = 100;
const LOOK_EVERY_MS = 1000;

/** @param waitMs for edges, once all are revoked; null: neither is waited for */
export async function revokeAll(
  invocation: Invocation,
  client: Client,
  whose: { readonly userId: string | undefined; readonly orgId: string | undefined },
  waitMs: number | null,
): Promise<Failure | undefined> {
  const path = `/v1/sessions${query(whose)}`;
  const begun = await client.call<RevocationAnswer>({ method: "DELETE", path }, "revocation");
  if (!begun.ok) return begun.failure;
  const { output } = invocation;
  if (waitMs === null) {
    if (output.json) output.document(begun.value);
    else output.line(sentence(begun.value.revocation));
    return undefined;
  }
  const finished = await followed(begun.value, invocation, client);
  const ended = finished.ok ? await confirmed(finished.value, invocation, client, waitMs) : finished;
  if (!ended.ok) return ended.failure;
  const { revocation } = ended.value;
  const edges = confirmationText(revocation, withinText(waitMs));
  if (output.json) output.document(ended.value);
  else output.line(`${sentence(revocation)}; ${edges}`);
  return unconfirmed(revocation);
}

async function followed(
  begun: RevocationAnswer,
  { io, output }: Invocation,
  client: Client,
): Promise<Outcome<RevocationAnswer>> {
  let last = begun;
  for (let pauseMs = FIRST_LOOK_MS; last.revocation.state !== "finished"; pauseMs = LOOK_EVERY_MS) {
    await io.sleep(pauseMs);
    const answer = await looked(last, client);
    if (!answer.ok) return answer;
    const { state, examined } = answer.value.revocation;
    if (state === "running" && examined > last.revocation.examined) output.remark(sentence(answer.value.revocation));
    last = answer.value;
  }
  return { ok: true, value: last };
}

/** Looks until no edge is pending, or the wait is over. */
async function confirmed(
  finished: RevocationAnswer,
  { io }: Invocation,
  client: Client,
  waitMs: number,
): Promise<Outcome<RevocationAnswer>> {
  let last = finished;
  let leftMs = waitMs;
  for (let pauseMs = FIRST_LOOK_MS; last.revocation.pending.length > 0 && leftMs > 0; pauseMs = LOOK_EVERY_MS) {
    const sentMs = io.monotonicMs();
    await io.sleep(Math.min(pauseMs, leftMs));
    const answer = await looked(last, client);
    if (!answer.ok) return answer;
    last = answer.value;
    leftMs -= io.monotonicMs() - sentMs;
  }
  return { ok: true, value: last };
}

const looked = ({ revocation }: RevocationAnswer, client: Client): Promise<Outcome<RevocationAnswer>> =>
  client.call({ method: "GET", path: `/v1/revocations/${encodeURIComponent(revocation.id)}` }, "revocation");

function sentence({ id, state, examined, revoked }: Revocation): string {
  return `revocation ${id} is ${state}: ${examined} sessions looked at, ${revoked} revoked by it`;
}
