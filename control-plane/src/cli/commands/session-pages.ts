// Sessions by the page, as the API lists them.
import type { ListAnswer, Session } from "../client/answers.js";
import { query } from "../client/client.js";
import type { Client } from "../client/client.js";
import type { Given, Options } from "../command.js";
import { done } from "../failure.js";
import type { Outcome } from "../failure.js";

const MAX_PAGE = 1000;

export const WHOSE: Options = {
  user: { kind: "text", value: "ID", what: "of this user" },
  org: { kind: "text", value: "ID", what: "of this organisation" },
  issuer: { kind: "text", value: "NAME", what: "that this issuer issued" },
  plan: { kind: "text", value: "NAME", what: "in this plan" },
};

export interface Listed {
  readonly sessions: readonly Session[];
  /** Whether there are more than were asked for. */
  readonly more: boolean;
  /** The policy's, ms; undefined where the control plane does not say it. */
  readonly reportIntervalMs: number | undefined;
}

/**
 * The newest sessions that match, at most `limit`, read a page at a time.
 * @param onPage is given each page as it comes; without it they are collected
 */
export async function listSessions(
  client: Client,
  given: Pick<Given, "text">,
  state: string | undefined,
  limit: number,
  onPage?: (sessions: readonly Session[]) => void,
): Promise<Outcome<Listed>> {
  const sessions: Session[] = [];
  let cursor: string | undefined;
  for (let left = limit; ;) {
    const whose = { userId: given.text("user"), orgId: given.text("org"), issuer: given.text("issuer") };
    const filter = { ...whose, plan: given.text("plan"), state };
    const path = `/v1/sessions${query({ ...filter, limit: Math.min(MAX_PAGE, left), cursor })}`;
    const page = await client.call<ListAnswer>({ method: "GET", path }, "sessions");
    if (!page.ok) return page;
    if (onPage === undefined) sessions.push(...page.value.sessions);
    else onPage(page.value.sessions);
    left -= page.value.sessions.length;
    const reportIntervalMs = page.value.reportInterval ?? undefined;
    if (page.value.cursor === null) return done({ sessions, more: false, reportIntervalMs });
    if (left <= 0) return done({ sessions, more: true, reportIntervalMs });
    cursor = page.value.cursor;
  }
}
