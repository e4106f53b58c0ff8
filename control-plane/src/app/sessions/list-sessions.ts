// Use case: list sessions, the newest first, a page at a time.
import { isIssuedBy } from "../../domain/issued-by.js";
import type { IssuedBy } from "../../domain/issued-by.js";
import { planByName } from "../../domain/plan.js";
import type { Session, SessionState } from "../../domain/session.js";
import type { SessionIndex } from "../ports/operator-ports.js";
import { viewOf } from "./sessions.js";
import type { SessionPorts, SessionView } from "./sessions.js";

/** All that are given must hold. */
export interface SessionFilter {
  readonly issuer: string | undefined;
  readonly userId: string | undefined;
  readonly orgId: string | undefined;
  /** A plan's name. */
  readonly plan: string | undefined;
  readonly state: SessionState | undefined;
}

/** `next` is the id below which the page after this one begins; null: there is none. */
export interface SessionPage {
  readonly sessions: readonly SessionView[];
  readonly next: string | null;
}

/** Read at a time; other requests get their turn in between. About 2 ms. */
const CHUNK = 250;
/** Looked at for one page, so that a filter that few sessions pass cannot hold up the store. */
const MAX_LOOKED_AT = 5000;

const NO_SESSIONS: SessionPage = { sessions: [], next: null };

/**
 * A page of the sessions that pass the filter. Ids are in the order of creation and a page begins below an id, so
 * sessions that are created meanwhile shift nothing. It is read from the index of the issuer, else of the user, else of
 * the organisation, else, for live sessions, of the plan; any other filter scans all sessions. A page may hold fewer than
 * `limit`, even none, while `next` says that there is more to look at. Of an issuer's list no other session is looked at,
 * so neither its pages nor their cursors tell of any. Undefined where the policy has no plan of that name.
 */
export async function listSessions(
  ports: SessionPorts,
  filter: SessionFilter,
  { before, limit }: { readonly before: string | undefined; readonly limit: number },
  issuedBy: IssuedBy | null,
): Promise<SessionPage | undefined> {
  const policy = ports.policies.current()?.policy;
  const plan = filter.plan === undefined ? undefined : policy && planByName(policy, filter.plan);
  if (filter.plan !== undefined && plan === undefined) return undefined;
  if (issuedBy !== null && filter.issuer !== undefined && filter.issuer !== issuedBy.issuer) return NO_SESSIONS;
  const index = indexFor({ ...filter, issuer: issuedBy?.issuer ?? filter.issuer }, plan?.id);
  const nowMs = ports.clock.nowMs();
  const sessions: SessionView[] = [];
  let next = before;
  for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += CHUNK) {
    const chunk = await ports.operator.sessionsBefore(index, next, CHUNK);
    for (const session of chunk) {
      next = session.id;
      const view = viewOf(session, ports.policies, nowMs);
      if (isIssuedBy(session, issuedBy) && passes(session, view, filter, plan?.id)) sessions.push(view);
      if (sessions.length === limit) return { sessions, next };
    }
    // A chunk may be short for a session that has just gone: only an empty one is the last.
    if (chunk.length === 0) return { sessions, next: null };
  }
  return { sessions, next: next ?? null };
}

function indexFor({ issuer, userId, orgId, state }: SessionFilter, planId: number | undefined): SessionIndex {
  if (issuer !== undefined) return { by: "issuer", issuer, userId };
  if (userId !== undefined) return { by: "user", userId };
  if (orgId !== undefined) return { by: "org", orgId };
  if (planId !== undefined && state === "live") return { by: "plan", planId };
  return { by: "creation" };
}

function passes(session: Session, view: SessionView, filter: SessionFilter, planId: number | undefined): boolean {
  if (filter.issuer !== undefined && session.issuer !== filter.issuer) return false;
  if (filter.userId !== undefined && session.userId !== filter.userId) return false;
  if (filter.orgId !== undefined && session.orgId !== filter.orgId) return false;
  if (planId !== undefined && session.plan.id !== planId) return false;
  return filter.state === undefined || view.state === filter.state;
}
