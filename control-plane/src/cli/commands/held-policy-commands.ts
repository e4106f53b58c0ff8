// The commands about a policy that would end live sessions: what is held back, and the word that lets it through.
import { POLICY_HASH_CHARS } from "../../../../assembly/contract.js";
import type { PolicyConfirmAnswer, PolicyStatusAnswer } from "../client/answers.js";
import type { ApiCommand } from "../command.js";
import { usageFailure } from "../failure.js";
import { timeText } from "../terminal/output.js";
import type { Column, Output } from "../terminal/output.js";

type Held = NonNullable<PolicyStatusAnswer["held"]>;

const PLAN_COLUMNS: readonly Column<Held["plans"][number]>[] = [
  { title: "PLAN", shrinks: true, of: ({ plan }) => plan },
  { title: "SESSIONS", right: true, of: ({ sessions }) => sessions },
];

export const policyStatus: ApiCommand = {
  name: "policy status",
  summary: "show the policy in force, and one that is held back because it would end live sessions",
  args: [],
  options: {},
  notes: [
    "A policy with a shorter lifetime or maxAge is held back where sessions that are live now would be over under it.",
    "Nothing of it is in force, and nobody's session has ended: mend and save the file, or confirm it.",
  ],
  example: "policy status",
  next: "sluice policy confirm HASH   publishes what is held back, and ends those sessions",
  run: async ({ output }, client) => {
    const answer = await client.call<PolicyStatusAnswer>({ method: "GET", path: "/v1/policy/status" }, "inForce");
    if (!answer.ok) return answer.failure;
    if (output.json) output.document(answer.value);
    else tell(answer.value, output);
    return undefined;
  },
};

function tell({ inForce, source, held }: PolicyStatusAnswer, output: Output): void {
  output.line(`In force: generation ${inForce.generation}, hash ${inForce.hash}`);
  if (source.state === "rejected") {
    output.line(`${source.name}: rejected; sluice policy check and the control plane's log name the violations`);
  }
  if (source.state === "judged") output.line(`${source.name}: live sessions are counted, to see whether it ends any`);
  if (held === null) return;
  const { hash, sessions, plans, since, countedAt } = held;
  const isBehind = source.state === "behind";
  output.line(`${source.name}: ${isBehind ? "behind" : "held back"} since ${timeText(since)}, hash ${hash}`);
  output.line("");
  if (isBehind) {
    output.line(
      "It is an older policy: another control plane over the same store has put the one in force in its place.",
    );
  }
  if (sessions > 0 || !isBehind) {
    output.line(`It would end ${sessionsText(sessions)} (counted ${timeText(countedAt)})`);
    if (plans.length > 0) output.table(PLAN_COLUMNS, plans);
    output.line("");
  }
  output.line(isBehind ? WHAT_IF_BEHIND : WHAT_IF_HELD);
  output.line(`  sluice policy confirm ${hash}`);
}

const WHAT_IF_HELD =
  "Without a unit, lifetime and maxAge are in ms. If it is not meant, mend the file and save it. If it is:";
const WHAT_IF_BEHIND = "Save the newer text there too, or wait until it comes. If the older one is meant:";

const HASH = new RegExp(`^[0-9a-f]{${POLICY_HASH_CHARS}}$`);

export const policyConfirm: ApiCommand = {
  name: "policy confirm",
  summary: "publish the policy that is held back, and so end the live sessions that it ends",
  args: [{ name: "HASH", what: "its hash, as sluice policy status and sluice policy check print it" }],
  options: {},
  notes: [
    "The hash is of what the policy says: comments do not count, any other edit makes another hash, which is not confirmed.",
    "The sessions end for good: a longer lifetime brings none of them back.",
  ],
  example: "policy confirm 50f0c6b896c2f5b2",
  next: "sluice edges   shows which edges run it",
  run: async ({ args: [hash = ""], output }, client) => {
    if (!HASH.test(hash)) {
      return usageFailure(
        `HASH must be ${POLICY_HASH_CHARS} hex digits, in lower case`,
        "sluice policy status shows it",
      );
    }
    const request = { method: "POST", path: "/v1/policy/confirm", body: { hash } } as const;
    const answer = await client.call<PolicyConfirmAnswer>(request, "inForce");
    if (!answer.ok) return answer.failure;
    const { inForce, sessions } = answer.value;
    if (output.json) output.document(answer.value);
    else {
      const ended = `${sessionsText(sessions)}, as counted last, ${sessions === 1 ? "ends" : "end"}`;
      output.line(`Confirmed: generation ${inForce.generation} is in force, hash ${inForce.hash}; ${ended}`);
    }
    return undefined;
  },
};

const sessionsText = (sessions: number): string => (sessions === 1 ? "1 live session" : `${sessions} live sessions`);
