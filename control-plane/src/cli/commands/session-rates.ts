// How fast sessions spend, from two reads of the list.
import type { Session } from "../client/answers.js";
import type { Listed } from "./session-pages.js";

/** The list as it was at a monotonic time. */
export interface Reading extends Listed {
  readonly atMs: number;
}

export interface SessionRate {
  readonly tokensPerSecond: number;
  readonly session: Session;
}

/**
 * The sessions of the later reading, the fastest first; of those as fast, the one that has consumed more. One that was
 * created since the earlier reading began at 0; of any other that it does not have, the rate is not known, and shown
 * as 0.
 */
export function busiest(before: Reading, now: Reading): SessionRate[] {
  const seconds = (now.atMs - before.atMs) / 1000;
  const consumedBefore = new Map(before.sessions.map(({ id, tokens }) => [id, tokens.consumed]));
  // Ids are in the order of creation, and lists begin with the newest.
  const newestBefore = before.sessions[0]?.id ?? "";
  return now.sessions
    .map((session) => {
      const { id, tokens } = session;
      const earlier = consumedBefore.get(id) ?? (id > newestBefore ? 0 : tokens.consumed);
      const spent = Math.max(0, tokens.consumed - earlier);
      return { tokensPerSecond: seconds > 0 ? spent / seconds : 0, session };
    })
    .sort((a, b) => b.tokensPerSecond - a.tokensPerSecond || b.session.tokens.consumed - a.session.tokens.consumed);
}
