// Revokes sessions by id, one after the other, and then waits once for all of them until edges have confirmed.
import type { Confirmation, ConfirmationAnswer } from "../client/answers.js";
import { query, sessionPath } from "../client/client.js";
import type { Client } from "../client/client.js";
import type { Invocation } from "../command.js";
import { confirmationText, unconfirmed, withinText } from "./confirmation.js";
import { EXIT } from "../failure.js";
import type { Failure, Outcome } from "../failure.js";
import type { Output } from "../terminal/output.js";

/** Of a wait: a server whose timer fires a little early has not cut it short. */
const AS_GOOD_AS_WHOLE = 0.9;

interface Tried {
  readonly id: string;
  /** Undefined: it is revoked. */
  readonly failure: Failure | undefined;
}

/** Edges as they were when the wait was over. `within`: how long it was; undefined where it was cut short. */
interface Heard extends ConfirmationAnswer {
  readonly within?: string | undefined;
}

/** @param waitMs null: edges are not waited for */
export async function revokeEach(
  invocation: Invocation,
  client: Client,
  waitMs: number | null,
): Promise<Failure | undefined> {
  const { args, output } = invocation;
  // Of one session a single line says all; of several each has its line as soon as it is revoked.
  const isOneLine = args.length === 1 && waitMs !== null;
  const tried = await tryEach(args, client, (one) => {
    if (!output.json) printOne(one, output, isOneLine);
  });
  const failure = tried.findLast((one) => one.failure !== undefined)?.failure;
  const last = tried.findLast((one) => one.failure === undefined)?.id;
  const isStopped = failure !== undefined && failure.exit !== EXIT.denied;
  const isWaiting = !isStopped && last !== undefined && waitMs !== null;
  const answer = isWaiting ? await waited(last, invocation, client, waitMs) : undefined;
  const confirmed = answer?.ok === true ? answer.value : undefined;

  if (output.json) documents(tried, output, confirmed?.revocation);
  else if (confirmed !== undefined) {
    const edges = confirmationText(confirmed.revocation, confirmed.within);
    output.line(isOneLine ? `${last ?? ""} is revoked; ${edges}` : edges);
  } else if (isOneLine && last !== undefined) output.line(`${last} is revoked`);

  if (answer?.ok === false) return answer.failure;
  return (confirmed && unconfirmed(confirmed.revocation)) ?? failure;
}

/** Goes on after one that there is not; any other failure would only repeat itself. */
async function tryEach(ids: readonly string[], client: Client, each: (one: Tried) => void): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const id of ids) {
    const answer = await client.call({ method: "DELETE", path: sessionPath(id) }, null);
    const one = { id, failure: answer.ok ? undefined : answer.failure };
    tried.push(one);
    each(one);
    if (one.failure !== undefined && one.failure.exit !== EXIT.denied) break;
  }
  return tried;
}

/** One wait is for all that was revoked before it: a second DELETE of one of them changes nothing, and waits. */
async function waited(id: string, { io }: Invocation, client: Client, waitMs: number): Promise<Outcome<Heard>> {
  const path = `${sessionPath(id)}${query({ wait: waitMs })}`;
  const sentMs = io.monotonicMs();
  const answer = await client.call<ConfirmationAnswer>({ method: "DELETE", path, heldMs: waitMs }, "revocation");
  const isWhole = io.monotonicMs() - sentMs >= waitMs * AS_GOOD_AS_WHOLE;
  if (!answer.ok || !isWhole) return answer;
  return { ok: true, value: { ...answer.value, within: withinText(waitMs) } };
}

function printOne({ id, failure }: Tried, output: Output, isOneLine: boolean): void {
  if (failure === undefined && !isOneLine) output.line(`${id} is revoked`);
  if (failure?.exit === EXIT.denied) output.remark(`${id}: ${failure.code}`);
}

/** One line an id, with what is known of edges. */
function documents(tried: readonly Tried[], output: Output, revocation: Confirmation | undefined): void {
  for (const { id, failure } of tried) {
    if (failure === undefined) output.document({ id, revoked: true, revocation });
    else if (failure.exit === EXIT.denied) output.document({ id, revoked: false, code: failure.code });
  }
}
