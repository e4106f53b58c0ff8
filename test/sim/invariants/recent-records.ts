// What the records of a table held a moment ago. A worker repeats a denial without a look at the table, so it may go by what
// another worker has replaced since: by an answer of the control plane, or by the refill of another policy.
import type { TableRecord } from "../../host/harness/scenes/table-view.js";
import type { Life } from "./ledger.js";

/** For less than this a VM may repeat a denial (recent-denials.ts), ms. */
const DENIAL_MS = 100;

interface Replaced {
  readonly record: TableRecord;
  readonly atMs: number;
}

export class RecentRecords {
  readonly #replaced = new Map<Life, Map<string, Replaced[]>>();

  constructor(private readonly nowMs: () => number) {}

  /** Another record of the session, or none, is in the place of this one. */
  noteReplaced(life: Life, record: TableRecord): void {
    const ofLife = this.#replaced.get(life) ?? new Map<string, Replaced[]>();
    this.#replaced.set(life, ofLife.set(record.id, [...this.#recent(life, record.id), this.#now(record)]));
  }

  /** All records by which a denial may be decided now: the one that stands, and those that a worker may remember. */
  seen(life: Life, id: string): readonly TableRecord[] {
    const now = life.records.get(id);
    const before = this.#recent(life, id).map(({ record }) => record);
    return now === undefined ? before : [now, ...before];
  }

  #now(record: TableRecord): Replaced {
    return { record, atMs: this.nowMs() };
  }

  #recent(life: Life, id: string): readonly Replaced[] {
    const known = this.#replaced.get(life)?.get(id) ?? [];
    return known.filter(({ atMs }) => this.nowMs() - atMs < DENIAL_MS);
  }
}
