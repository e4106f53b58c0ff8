// What was really spent from further limits, and how much of it the control plane has been told. So it is known what may be
// lost: with a crash, with a backup that is restored, with an unverified admission, and between an ask and its answer.
import type { Life } from "./ledger.js";

interface Spend {
  readonly costs: ReadonlyMap<string, number>;
  /** The record's limits were not confirmed. */
  readonly isUnsure: boolean;
}

/** Session and limit to how many of its spends are told. */
type Told = Map<string, number>;

interface OfLife {
  readonly spends: Map<string, Spend[]>;
  /** Session and rev to the spends that the record had then, and to the limits that rows of it named. */
  readonly atRev: Map<string, number>;
  readonly named: Map<string, readonly string[]>;
  told: Told;
  backup: Told;
}

export class LimitSpends {
  readonly #lives = new Map<Life, OfLife>();
  /** Edge, session and limit to tokens. */
  readonly #spent = new Map<string, number>();
  readonly #allowed = new Map<string, number>();

  /** A request was let in. */
  spend(life: Life, id: string, costs: ReadonlyMap<string, number>, isUnsure: boolean): void {
    const { spends } = this.#of(life);
    const known = spends.get(id) ?? [];
    known.push({ costs, isUnsure });
    spends.set(id, known);
    for (const [name, cost] of costs) add(this.#spent, life.edge + id + name, cost);
  }

  /** Tokens that were spent in all lives. */
  spentFrom(edge: string, id: string, name: string): number {
    return this.#spent.get(edge + id + name) ?? 0;
  }

  /** The same in one life. */
  spentBy(life: Life, id: string, name: string): number {
    return (this.#of(life).spends.get(id) ?? []).reduce((sum, { costs }) => sum + (costs.get(name) ?? 0), 0);
  }

  /** Whether any of a session's spends in a life were from limits that were not confirmed. */
  hasUnsure(life: Life, id: string): boolean {
    return (this.#of(life).spends.get(id) ?? []).some(({ isUnsure }) => isUnsure);
  }

  /** Tokens that the limit may have had more. */
  allowedTo(edge: string, id: string, name: string): number {
    return this.#allowed.get(edge + id + name) ?? 0;
  }

  allow(edge: string, id: string, name: string, tokens: number): void {
    add(this.#allowed, edge + id + name, tokens);
  }

  /** A record was written. */
  noteRev(life: Life, id: string, rev: number): void {
    const of = this.#of(life);
    of.atRev.set(`${id} ${rev}`, of.spends.get(id)?.length ?? 0);
  }

  /** A row was written into a call. */
  noteRow(life: Life, id: string, rev: number, names: readonly string[]): void {
    const { named } = this.#of(life);
    const before = named.get(`${id} ${rev}`);
    named.set(`${id} ${rev}`, before === undefined ? names : names.filter((name) => before.includes(name)));
  }

  /** How many spends a row of this rev speaks of. */
  countAt(life: Life, id: string, rev: number): number {
    return this.#of(life).atRev.get(`${id} ${rev}`) ?? 0;
  }

  /** A row is durable. */
  reported(life: Life, id: string, rev: number): void {
    const { told, named } = this.#of(life);
    const count = this.countAt(life, id, rev);
    for (const name of named.get(`${id} ${rev}`) ?? []) told.set(id + name, Math.max(told.get(id + name) ?? 0, count));
  }

  /** What a limit gave that nobody has been told may be lost: unverified admissions only, unless all of it is. */
  loseUntold(life: Life, id: string, which: "all" | "unsure", names?: readonly string[]): void {
    const { told } = this.#of(life);
    for (const name of names ?? this.#namesOf(life, id))
      this.#lose(
        life,
        id,
        name,
        (index, { isUnsure }) => index >= (told.get(id + name) ?? 0) && (which === "all" || isUnsure),
      );
  }

  /** What a limit gave since may be lost. */
  loseSince(life: Life, id: string, name: string, count: number): void {
    this.#lose(life, id, name, (index) => index >= count);
  }

  crashed(life: Life): void {
    for (const id of this.#of(life).spends.keys()) this.loseUntold(life, id, "all");
  }

  backedUp(): void {
    for (const of of this.#lives.values()) of.backup = new Map(of.told);
  }

  /** What was told since the backup is not known any more. */
  restored(): void {
    for (const [life, of] of this.#lives) {
      of.told = new Map(of.backup);
      for (const id of of.spends.keys()) this.loseUntold(life, id, "all");
    }
  }

  #lose(life: Life, id: string, name: string, isLost: (index: number, spend: Spend) => boolean): void {
    const spends = this.#of(life).spends.get(id) ?? [];
    const lost = spends.filter((spend, index) => isLost(index, spend));
    this.allow(
      life.edge,
      id,
      name,
      lost.reduce((sum, { costs }) => sum + (costs.get(name) ?? 0), 0),
    );
  }

  #namesOf(life: Life, id: string): ReadonlySet<string> {
    return new Set((this.#of(life).spends.get(id) ?? []).flatMap(({ costs }) => [...costs.keys()]));
  }

  #of(life: Life): OfLife {
    const known = this.#lives.get(life);
    if (known !== undefined) return known;
    const fresh = { spends: new Map(), atRev: new Map(), named: new Map(), told: new Map(), backup: new Map() };
    this.#lives.set(life, fresh);
    return fresh;
  }
}

function add(sums: Map<string, number>, key: string, more: number): void {
  if (more !== 0) sums.set(key, (sums.get(key) ?? 0) + more);
}
