// What was decided, as operations of the script that commits it: the session, its rows, and the indexes that follow from it.
import { budgetsToWrite } from "../../../domain/changes.js";
import type { BudgetChange, Changes, SessionChange } from "../../../domain/changes.js";
import { limitGroup } from "../../../domain/issued-by.js";
import { hasEndedForGood } from "../../../domain/session.js";
import type { Session } from "../../../domain/session.js";
import type { ConsumptionKey, Instance } from "../../../domain/stored.js";
import { userOfLimit } from "../../user-of-limit.js";
import { KEYS, keyOf } from "../keys.js";
import { BUDGET_FIELD, budgetText } from "../stored-budget.js";
import { rowField, rowText, sessionText } from "../stored-forms.js";
import { POSITION } from "../scripts.js";
import type { Operation } from "./commits.js";
import { creationKeyOperations } from "./creation-keys.js";

/** Of the hash at a key, as the commit is to find it: empty where it is to find none, undefined where it does not look. */
export type VersionAt = (key: string) => string | undefined;

/** What the hash of each session is given: fields and values in turn. */
type Touched = Map<string, string[]>;

const fieldsOf = (touched: Touched, id: string): string[] => {
  const fields = touched.get(id) ?? [];
  touched.set(id, fields);
  return fields;
};

export function operationsOf(changes: Changes, versionAt: VersionAt = () => undefined): Operation[] {
  const { sessions = [], rows = [], removedRows = [], invalidations = [], audit = [] } = changes;
  const touched: Touched = new Map();
  for (const { sessionId, ...row } of rows) fieldsOf(touched, sessionId).push(rowField(row), rowText(row));
  const operations = [
    ...sessions.flatMap((change) => sessionOperations(change, touched)),
    ...removedRows.map((row) => removedRowOperation(row, touched)),
    ...budgetsToWrite(changes).flatMap((one) => budgetOperations(one, touched)),
    ...keyOperations(changes, touched),
    ...invalidations.map(({ kind, sessionId, atMs }) => ["LOG", kind, sessionId, String(atMs)]),
    ...audit.map((event) => ["AUDIT", JSON.stringify(event)]),
    ...revocationOperations(changes),
  ];
  return [...operations, ...[...touched].flatMap(([id, fields]) => writtenHash(keyOf.session(id), fields, versionAt))];
}

/** In one command, with the next version: the commit looks that it stands at the one before. */
function writtenHash(key: string, fields: readonly string[], versionAt: VersionAt): Operation[] {
  const version = versionAt(key);
  if (version !== undefined) return [["HSET", key, ...fields, "v", String(Number(version) + 1)]];
  const written = fields.length === 0 ? [] : [["HSET", key, ...fields]];
  return [...written, ["HINCRBY", key, "v", "1"]];
}

function sessionOperations({ before, after }: SessionChange, touched: Touched): Operation[] {
  const operations: Operation[] = [];
  if (before !== null) {
    const isGone = after === null;
    if (isGone)
      operations.push(...unindexed(before), ["UNLINK", keyOf.session(before.id), keyOf.consumptions(before.id)]);
    if (isLiveIn(before) && (isGone || planOf(after) !== before.plan.id)) operations.push(...unindexedFromPlan(before));
  }
  if (after === null) return operations;
  fieldsOf(touched, after.id).push("session", sessionText(after));
  if (before === null) operations.push(...indexed(after));
  if (isLiveIn(after) && planOf(before) !== after.plan.id) operations.push(...indexedUnderPlan(after));
  if (!isLiveIn(after) && (before === null || isLiveIn(before))) operations.push(["ZADD", KEYS.ended, "0", after.id]);
  return operations;
}

const isLiveIn = (session: Session): boolean => !hasEndedForGood(session);
/** Under which plan it is indexed. */
const planOf = (session: Session | null): number | undefined =>
  session === null || !isLiveIn(session) ? undefined : session.plan.id;

/** The indexes by whose it is. */
const ownIndexes = ({ userId, orgId, issuer }: Session): string[] => [
  KEYS.sessions,
  keyOf.user(userId),
  keyOf.org(orgId),
  ...(issuer === undefined ? [] : [keyOf.issuer(issuer), keyOf.issuerAndUser(issuer, userId)]),
];

const planIndexes = (session: Session): string[] => [
  keyOf.plan(session.plan.id),
  keyOf.peers(session.plan.id, userOfLimit(session.userId, limitGroup(session))),
];

const indexed = (session: Session): Operation[] => ownIndexes(session).map((key) => ["ZADD", key, "0", session.id]);

const unindexed = (session: Session): Operation[] =>
  [...ownIndexes(session), KEYS.ended].map((key) => ["ZREM", key, session.id]);

const indexedUnderPlan = (session: Session): Operation[] => [
  ...planIndexes(session).map((key) => ["ZADD", key, "0", session.id]),
  ["ZADD", keyOf.active(session.plan.id), String(session.lastActivity), session.id],
  ["SADD", KEYS.plans, String(session.plan.id)],
];

const unindexedFromPlan = (session: Session): Operation[] =>
  [...planIndexes(session), keyOf.active(session.plan.id)].map((key) => ["ZREM", key, session.id]);

function removedRowOperation(
  { sessionId, ...of }: Instance & { readonly sessionId: string },
  touched: Touched,
): Operation {
  fieldsOf(touched, sessionId);
  return ["HDEL", keyOf.session(sessionId), rowField(of)];
}

function budgetOperations({ sessionId, budget }: BudgetChange, touched: Touched): Operation[] {
  const fields = fieldsOf(touched, sessionId);
  if (budget === null) return [["HDEL", keyOf.session(sessionId), BUDGET_FIELD]];
  fields.push(BUDGET_FIELD, budgetText(budget));
  return [];
}

function keyOperations({ creationKey, consumptionKey }: Changes, touched: Touched): Operation[] {
  const operations = creationKey === undefined ? [] : creationKeyOperations(creationKey);
  if (consumptionKey === undefined) return operations;
  const { sessionId, key, ...consumed } = consumptionKey;
  fieldsOf(touched, sessionId);
  return [...operations, ...keptConsumptionKey(sessionId, key, consumed)];
}

/** The key itself, and its place by time. */
export const keptConsumptionKey = (sessionId: string, key: string, consumed: ConsumptionKey): Operation[] => [
  ["HSET", keyOf.consumptions(sessionId), key, JSON.stringify(consumed)],
  ["ZADD", KEYS.consumed, String(consumed.atMs), `${sessionId}${key}`],
];

function revocationOperations({ revocation }: Changes): Operation[] {
  if (revocation === undefined) return [];
  const [kept, ...others] = keptRevocation(revocation);
  const begins = revocation.finishedAt === null && revocation.doneTo === "";
  return [begins ? begun(revocation) : kept, ...others, ["HSET", KEYS.revoked, revocation.id, POSITION]];
}

/** Up to the newest session at the moment of the commit: who was answered before it has its session revoked. */
function begun({ upTo, ...operation }: NonNullable<Changes["revocation"]>): Operation {
  return ["REVOKE", operation.id, keyOf.meantBy(operation.filter), upTo, JSON.stringify(operation)];
}

/** The operation itself, and whether it goes on. */
export const keptRevocation = (operation: NonNullable<Changes["revocation"]>): [Operation, Operation] => [
  ["HSET", KEYS.revocations, operation.id, JSON.stringify(operation)],
  [operation.finishedAt === null ? "SADD" : "SREM", KEYS.unfinished, operation.id],
];
