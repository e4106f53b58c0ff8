// Decisions on one session that are made one after the other and written together: each is made on what those before it left.
import type { BudgetChange, Changes, SessionChange, StoredRow } from "./changes.js";
import { byEdgeAndInstance, isSameInstance } from "./stored.js";
import type { Instance, SessionRecord } from "./stored.js";

type RowOfSession = Instance & { readonly sessionId: string };

/** Whether they are about this one stored session, which stays: others can be decided on what it is after them. */
export function isOfOne(id: string, changes: Changes): boolean {
  const { sessions = [], rows = [], removedRows = [], budgets = [] } = changes;
  const { creationKey, consumptionKey, revocation } = changes;
  if (creationKey !== undefined || consumptionKey !== undefined || revocation !== undefined) return false;
  const isChange = ({ before, after }: SessionChange): boolean => before?.id === id && after?.id === id;
  return sessions.every(isChange) && [...rows, ...removedRows, ...budgets].every(({ sessionId }) => sessionId === id);
}

/** The session as it is once these changes, which are of this one, are written. */
export function recordAfter(record: SessionRecord, changes: Changes): SessionRecord {
  const { sessions = [], budgets = [] } = changes;
  const last = budgets.at(-1);
  const budget = last === undefined ? record.budget : (last.budget ?? undefined);
  const session = sessions.at(-1)?.after ?? record.session;
  return { session, rows: rowsAfter(record.rows, changes), ...(budget && { budget }) };
}

function rowsAfter(before: SessionRecord["rows"], { rows = [], removedRows = [] }: Changes): SessionRecord["rows"] {
  if (rows.length + removedRows.length === 0) return before;
  const stays = (row: Instance): boolean => ![...rows, ...removedRows].some((one) => isSameInstance(one, row));
  const written = withoutThose(rows, removedRows).map(({ sessionId: _sessionId, ...row }) => row);
  return [...before.filter(stays), ...written].sort(byEdgeAndInstance);
}

/** Both at once. The second was decided on what the first made of the same session: where they differ it counts. */
export function bothChanges(first: Changes, second: Changes): Changes {
  if (Object.keys(second).length === 0) return first;
  const { rows = [], removedRows = [] } = first;
  const { rows: rowsLater = [], removedRows: removedLater = [] } = second;
  return {
    ...first,
    ...second,
    sessions: oneChangeEach([...(first.sessions ?? []), ...(second.sessions ?? [])]),
    rows: [...withoutThose<StoredRow>(rows, [...rowsLater, ...removedLater]), ...rowsLater],
    removedRows: [...withoutThose<RowOfSession>(removedRows, [...rowsLater, ...removedLater]), ...removedLater],
    budgets: oneBudgetEach([...(first.budgets ?? []), ...(second.budgets ?? [])]),
    invalidations: [...(first.invalidations ?? []), ...(second.invalidations ?? [])],
    audit: [...(first.audit ?? []), ...(second.audit ?? [])],
  };
}

/** From what a session was before the first change to what it is after the last. */
function oneChangeEach(changes: readonly SessionChange[]): readonly SessionChange[] {
  const byId = new Map<string | undefined, SessionChange>();
  for (const { before, after } of changes) {
    const id = before?.id ?? after?.id;
    const earlier = byId.get(id);
    byId.set(id, { before: earlier === undefined ? before : earlier.before, after });
  }
  return [...byId.values()];
}

/** The last of each session. */
const oneBudgetEach = (budgets: readonly BudgetChange[]): readonly BudgetChange[] => [
  ...new Map(budgets.map((one) => [one.sessionId, one])).values(),
];

function withoutThose<Row extends RowOfSession>(rows: readonly Row[], those: readonly RowOfSession[]): readonly Row[] {
  return rows.filter((row) => !those.some((one) => one.sessionId === row.sessionId && isSameInstance(one, row)));
}
