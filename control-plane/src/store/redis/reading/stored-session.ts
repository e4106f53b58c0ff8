// A session's hash, as a reading gives it: fields and values in turn.
import type { FleetBudget } from "../../../domain/leases/fleet-budget.js";
import type { Session } from "../../../domain/session.js";
import { byEdgeAndInstance } from "../../../domain/stored.js";
import type { HeldRow, SessionRecord } from "../../../domain/stored.js";
import { pairsIn } from "./reads.js";
import { BUDGET_FIELD, budgetIn } from "../stored-budget.js";
import { ROW_PREFIX, rowIn, sessionIn } from "../stored-forms.js";

export interface StoredSession {
  readonly record: SessionRecord;
  /** Grows with each write. */
  readonly version: string;
}

/** Undefined where there is no such session. Rows in the order of edge and instance. */
export function storedSession(id: string, hash: readonly string[]): StoredSession | undefined {
  const rows: HeldRow[] = [];
  let session: Session | undefined;
  let budget: FleetBudget | undefined;
  let version = "";
  for (const [field, value] of pairsIn(hash)) {
    if (field === "session") session = sessionIn(id, value);
    else if (field === "v") version = value;
    else if (field === BUDGET_FIELD) budget = budgetIn(value);
    else if (field.startsWith(ROW_PREFIX)) rows.push(rowIn(field, value));
  }
  const record = session && { session, rows: rows.sort(byEdgeAndInstance), ...(budget && { budget }) };
  return record && { record, version };
}
