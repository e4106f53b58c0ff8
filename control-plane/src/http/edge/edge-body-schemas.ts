// What watch and report say beside their figures: of the filter, the table, and the policy received or run.
import { Type } from "typebox";
import type { Static } from "typebox";

import { LOG_CHARS, MAX_SAFE_INTEGER, MAX_VIOLATIONS_BYTES, POLICY_HASH_CHARS } from "../../../../assembly/contract.js";
import type { Violation } from "../../domain/policy/policy.js";

/** Words that a newer filter may add to: longer ones are a mistake. */
const MAX_WORD_CHARS = 32;

export const hex = (chars: number) =>
  Type.String({ pattern: `^[0-9a-f]{${chars}}$`, description: `${chars} hex digits in lower case` });
export const whole = Type.Integer({
  format: "int64",
  minimum: 0,
  maximum: MAX_SAFE_INTEGER,
  description: "a whole number from 0 on",
});
const word = (description: string) => Type.String({ maxLength: MAX_WORD_CHARS, description });

export const ReceivedPolicySchema = Type.Object(
  {
    log: hex(LOG_CHARS),
    generation: whole,
    hash: hex(POLICY_HASH_CHARS),
    state: word("one of offered, trying, ok, rejected, trapped"),
    violations: Type.Optional(Type.Unknown({ description: "what is wrong with it: a list of {path, message}" })),
  },
  {
    description:
      "an object with the fields log, generation, hash, state and violations: the newest policy that the edge has received",
  },
);

export const FilterSchema = Type.Object(
  {
    version: word("a version"),
    build: hex(POLICY_HASH_CHARS),
    policyFormat: whole,
  },
  { description: "an object with the fields version, build and policyFormat" },
);

export const TableSchema = Type.Object(
  { name: Type.Optional(word("a name")), capacity: whole, records: whole },
  { description: "an object with the fields name, capacity and records" },
);

export const WorkerPolicySchema = Type.Object(
  {
    source: word("one of none, settings, control-plane"),
    generation: whole,
    hash: Type.Optional(hex(POLICY_HASH_CHARS)),
  },
  { description: "an object with the fields source, generation and hash: what the worker runs" },
);

/** The state of the edge's policy is worth more than its reasons: of those, what is not as it should be is left out. */
export function receivedPolicy({ violations, ...received }: Static<typeof ReceivedPolicySchema>) {
  return { ...received, violations: readViolations(violations) };
}

function readViolations(value: unknown): Violation[] {
  if (!Array.isArray(value)) return [];
  const violations: Violation[] = [];
  let bytes = 2;
  for (const one of value as readonly unknown[]) {
    if (typeof one !== "object" || one === null || !("path" in one) || !("message" in one)) continue;
    const { path, message } = one;
    if (typeof path !== "string" || typeof message !== "string") continue;
    bytes += Buffer.byteLength(JSON.stringify({ path, message })) + 1;
    if (bytes > MAX_VIOLATIONS_BYTES) break;
    violations.push({ path, message });
  }
  return violations;
}
