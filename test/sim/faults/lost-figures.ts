// Figures that were reported and that a restored backup lacks: a record in the table reports them anew; those of an
// evicted record are lost.
import type { Life } from "../invariants/ledger.js";
import type { SimEdge } from "../parts/sim-edge.js";

export class LostFigures {
  readonly #lost = new Map<string, number>();
  /** Lost if the record is evicted before they are reported again. */
  readonly #open = new Map<string, number>();

  /** A backup is restored that lacks so many tokens of a session at the edge's table. */
  lack({ life }: SimEdge, id: string, tokens: number): void {
    const key = keyOf(life, id);
    this.#lost.set(key, this.of(life, id));
    // Restored twice before they were reported again: they are lacking as before.
    const open = life.gone.has(id) ? 0 : (this.#open.get(key) ?? 0);
    const record = life.records.get(id);
    // An unverified one counts from 0.
    const stands = record !== undefined && !record.provisional;
    this.#open.set(key, Math.max(open, tokens));
    if (stands) life.gone.delete(id);
    else life.gone.add(id);
  }

  /** Tokens that were spent in this life and that no worker can report any more. */
  of(life: Life, id: string): number {
    const key = keyOf(life, id);
    return (this.#lost.get(key) ?? 0) + (life.gone.has(id) ? (this.#open.get(key) ?? 0) : 0);
  }
}

function keyOf(life: Life, id: string): string {
  return `${life.instance() ?? ""} ${id}`;
}
