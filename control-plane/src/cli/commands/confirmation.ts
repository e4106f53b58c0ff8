// What is said of the edges that confirmed a revocation, and of those that did not.
import type { Confirmation } from "../client/answers.js";
import { EXIT } from "../failure.js";
import type { Failure } from "../failure.js";

/** A line names so many; --json names all. */
const MAX_NAMED = 20;

/** @param within how long was waited for them: `within 5 s`; undefined where nobody waited so long */
export function confirmationText({ edges, confirmed, pending }: Confirmation, within?: string): string {
  if (edges === 0) return "there are no edges to confirm it";
  if (pending.length === 0) return edges === 1 ? "the only edge confirmed" : `all ${edges} edges confirmed`;
  const more = pending.length > MAX_NAMED ? ` and ${pending.length - MAX_NAMED} more` : "";
  const of = `${confirmed} of ${edges} ${edges === 1 ? "edge" : "edges"}`;
  return `${of} confirmed ${within ?? "so far"}, not: ${pending.slice(0, MAX_NAMED).join(", ")}${more}`;
}

/** Undefined where every edge confirmed. */
export function unconfirmed({ edges, pending }: Confirmation): Failure | undefined {
  if (pending.length === 0) return undefined;
  const count = `${pending.length} of ${edges} ${edges === 1 ? "edge" : "edges"}`;
  return {
    exit: EXIT.unconfirmed,
    code: "UNCONFIRMED",
    message: `${count} may still admit what was revoked`,
    hint: "The revocation stands. Repeat the command to wait again; sluice edges shows what those edges do",
  };
}

/** `within 5 s`, `within 500 ms`; undefined for no wait at all. */
export function withinText(ms: number): string | undefined {
  if (ms === 0) return undefined;
  return ms % 1000 === 0 ? `within ${ms / 1000} s` : `within ${ms} ms`;
}
