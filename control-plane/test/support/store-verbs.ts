// A store with what tests do to it spelled out: each verb is one update, by the decision that the use case takes too.
import type { ActivityCursor, PageOfPlan, Updates } from "../../src/app/ports/update-ports.js";
import type { Stores } from "../../src/app/ports/stores.js";
import type { Decision } from "../../src/domain/changes.js";
import { decidePlanChange } from "../../src/domain/decisions/change-plan.js";
import type { PlanChange } from "../../src/domain/decisions/change-plan.js";
import { decideConsumption } from "../../src/domain/decisions/consume-tokens.js";
import type { Consumption } from "../../src/domain/decisions/consume-tokens.js";
import { decideCreation } from "../../src/domain/decisions/create-session.js";
import type { Creation } from "../../src/domain/decisions/create-session.js";
import { decideIdleEnds } from "../../src/domain/decisions/end-idle.js";
import { decideExpiry, decideForgetting, decideRemoval } from "../../src/domain/decisions/forget-sessions.js";
import { decideHold } from "../../src/domain/decisions/hold-session.js";
import { decideReport } from "../../src/domain/decisions/report-usage.js";
import type { Budgets } from "../../src/domain/decisions/report-usage.js";
import type { ReportedRow } from "../../src/domain/decisions/reported-rows.js";
import { decideBulkRevocation, decideChunk, decideRevocation } from "../../src/domain/decisions/revoke-sessions.js";
import { peersIn } from "../../src/domain/issued-by.js";
import type { Session } from "../../src/domain/session.js";
import type { AuditEvent, Instance, RevocationFilter } from "../../src/domain/stored.js";

type Holds = (session: Session, holders: readonly Instance[]) => boolean;
export type IdleStep = PageOfPlan<ActivityCursor> & { readonly atMs: number; readonly isIdle: Holds };
export type ExpiryStep = PageOfPlan<string> & { readonly isExpired: (session: Session) => boolean };

const answerOf = async <Answer>(decision: Promise<Decision<Answer>>): Promise<Answer> => (await decision).answer;

const NOBODY = { edge: "", instance: "" };

const sessionVerbs = (store: Updates) => ({
  async create(session: Session): Promise<void> {
    const creation = { session, limit: null, repeatable: null, isLive: () => true };
    const { outcome } = await operatorVerbs(store).issue(creation);
    if (outcome !== "created") throw new Error(`session ${session.id} exists`);
  },
  revoke: (id: string, atMs: number, audited?: AuditEvent) =>
    answerOf(store.update("session", id, ({ found }) => decideRevocation(found?.session, atMs, audited))),
});

const operatorVerbs = (store: Updates) => ({
  issue(creation: Creation) {
    const { session, limit, repeatable } = creation;
    const peers = limit === null ? null : peersIn(session.plan.id, session);
    const wanted = { sessionId: session.id, key: repeatable?.key ?? null, peers };
    return answerOf(store.update("creation", wanted, (state) => decideCreation(state, creation)));
  },
  changePlan(sessionId: string, change: PlanChange) {
    const wanted = { sessionId, planId: change.plan.id };
    return answerOf(store.update("planChange", wanted, (state) => decidePlanChange(state, change)));
  },
  forgetMetadata: (createdBeforeMs: number, limit: number) =>
    answerOf(store.update("withDetails", { createdBeforeMs, limit }, decideForgetting)),
});

const usageVerbs = (store: Updates) => ({
  async hold(id: string, holder: Instance, atMs: number, mayHold: Holds) {
    const { outcome, ...known } = await answerOf(
      store.update("session", id, (state) =>
        decideHold(state, holder, atMs, (one, holders) => (mayHold(one, holders) ? "hold" : "over")),
      ),
    );
    return { ...known, held: outcome === "held" };
  },
  /** Undefined if there is no such session. */
  async endIfIdle(id: string, atMs: number, isIdle: Holds) {
    const { outcome, session } = await answerOf(
      store.update("session", id, (state) =>
        decideHold(state, NOBODY, atMs, (one, holders) => (isIdle(one, holders) ? "end" : "over")),
      ),
    );
    return session && { session, newly: outcome === "ended" };
  },
  report: (rows: readonly ReportedRow[], budgets: Budgets) =>
    answerOf(store.update("report", rows, (found) => decideReport(found, rows, budgets))),
  consume: (sessionId: string, consumption: Consumption) =>
    answerOf(
      store.update("consumption", { sessionId, key: consumption.key }, (state) =>
        decideConsumption(state, consumption),
      ),
    ),
  endIdle: ({ atMs, isIdle, ...wanted }: IdleStep) =>
    answerOf(store.update("byActivity", wanted, ({ page, next }) => step(next, decideIdleEnds(page, atMs, isIdle)))),
  removeExpired: ({ isExpired, ...wanted }: ExpiryStep) =>
    answerOf(store.update("byCreation", wanted, ({ page, next }) => step(next, decideExpiry(page, isExpired)))),
  removeEnded: (createdBeforeMs: number, limit: number) =>
    answerOf(store.update("ended", { createdBeforeMs, limit }, (page) => decideRemoval(page, createdBeforeMs))),
});

const revocationVerbs = (store: Updates) => ({
  begin(id: string, filter: RevocationFilter, atMs: number, audited?: AuditEvent) {
    const request = { id, filter, atMs, audited };
    return answerOf(store.update("newestSession", filter, (newest) => decideBulkRevocation(newest, request)));
  },
  expand: (id: string, limit: number, atMs: number) =>
    answerOf(store.update("revocationChunk", { id, limit }, (state) => decideChunk(state, atMs))),
});

/** The sessions that a step of a sweep ended, and where the next one goes on. */
const step = <Cursor>(next: Cursor | undefined, { answer: sessions, changes }: Decision<readonly Session[]>) => ({
  answer: { sessions, next },
  changes,
});

interface Verbs {
  readonly operator: ReturnType<typeof operatorVerbs>;
  readonly usage: ReturnType<typeof usageVerbs>;
  readonly revocations: ReturnType<typeof revocationVerbs>;
}

/** The store, which can do all these from now on. */
export type WithVerbs<Store> = Store & ReturnType<typeof sessionVerbs> & Verbs;

export function withVerbs<Store extends Stores>(store: Store): WithVerbs<Store> {
  Object.assign(store.operator, operatorVerbs(store));
  Object.assign(store.usage, usageVerbs(store));
  Object.assign(store.revocations, revocationVerbs(store));
  return Object.assign(store, sessionVerbs(store)) as WithVerbs<Store>;
}
