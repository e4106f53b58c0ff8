// What the control plane's log says of the policy while npm start runs, for its terminal: each event there once.
import { closeSync, openSync, readSync } from "node:fs";
import { violationLine } from "../../control-plane/src/domain/policy/violation-line.js";
import type { ShownViolation } from "../../control-plane/src/domain/policy/violation-line.js";
import { visible } from "../../control-plane/src/cli/terminal/visible.js";

const POLL_MS = 250;
const CHUNK_BYTES = 65_536;
/** The log has all of them. */
const MAX_SHOWN = 10;
const EVENTS: ReadonlySet<string> = new Set([
  "policy-accepted",
  "policy-unchanged",
  "policy-rejected",
  "policy-held",
  "policy-confirmed",
]);
/** At a start, before anything else, these are no news. */
const EXPECTED: ReadonlySet<string> = new Set(["policy-accepted", "policy-unchanged"]);

interface Line {
  readonly event?: string;
  readonly msg?: string;
  readonly source?: string;
  readonly violations?: readonly ShownViolation[];
}

/** Follows a log from its beginning. Returns how to end that. */
export function followPolicyEvents(logFile: string, say: (text: string) => void): () => void {
  const file = openSync(logFile, "r");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest = Buffer.alloc(0);
  let isFirst = true;
  const take = (text: string): void => {
    const line = parsed(text);
    if (line?.event === undefined || !EVENTS.has(line.event)) return;
    const isNews = !(isFirst && EXPECTED.has(line.event));
    isFirst = false;
    if (isNews) say(sentenceOf(line));
  };
  const poll = (): void => {
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      const lines = Buffer.concat([rest, chunk.subarray(0, length)]);
      const end = lines.lastIndexOf("\n") + 1;
      rest = Buffer.from(lines.subarray(end));
      for (const line of lines.toString("utf8", 0, end).split("\n")) take(line);
    }
  };
  const timer = setInterval(poll, POLL_MS);
  return () => {
    clearInterval(timer);
    closeSync(file);
  };
}

/** Not all that is written there is a line of the log: Node's own warnings, for one. */
function parsed(text: string): Line | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}

function sentenceOf({ msg = "", source = "", violations = [] }: Line): string {
  const shown = violations.slice(0, MAX_SHOWN).map((one) => `\n  ${visible(violationLine(source, one))}`);
  const more = violations.length - shown.length;
  return [visible(msg), ...shown, ...(more > 0 ? [`\n  and ${more} more: the log has them`] : [])].join("");
}
