// A store in memory whose every read and write is a step, before and after which a test may have something happen.
import type { UsagePorts } from "../../src/app/edges/usage.js";
import { decideRevocation } from "../../src/domain/decisions/revoke-sessions.js";
import type { LogPosition } from "../../src/domain/stored.js";
import { MemoryStore } from "../../src/store/memory/store.js";
import { startTestControlPlane } from "./control-plane.js";
import { sessionAt } from "./sessions.js";
import { withVerbs } from "./store-verbs.js";

export class StoreInSteps {
  /** How many moments a call has, where nothing happens. */
  moments = 0;
  private readonly store = withVerbs(new MemoryStore());
  private readonly update = this.store.update.bind(this.store);
  private logs = 0;
  private nowMs = 0;
  private happens: (moment: number) => Promise<void> = () => Promise.resolve();
  private happening = 0;

  static async open(): Promise<{ store: StoreInSteps; ports: UsagePorts }> {
    const one = new StoreInSteps();
    const { store } = one;
    const { usage } = store;
    const { ports, clock } = await startTestControlPlane(store);
    one.nowMs = clock.nowMs();
    one.divide();
    return { store: one, ports: { ...ports, usage } };
  }

  /** Of the log that the store has now. */
  head(): LogPosition {
    return this.store.invalidations.now();
  }

  rowsOf(id: string) {
    return this.store.usage.rowsOf(id);
  }

  /**
   * Runs `call` on three new sessions, again and again: `happens` at none of its moments, then at its first, its second, and
   * so on; `also` at each. `then` says what is to be after each run; it is given which moment that was, -1 for none.
   */
  async atEachMoment<T>(
    happens: (ids: readonly string[]) => Promise<void>,
    call: (ids: readonly string[]) => Promise<T>,
    then: (answer: T, ids: readonly string[], moment: number) => Promise<void>,
    also: (moment: number, ids: readonly string[]) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    let all = 0;
    for (let at = -1; at < all; at++) {
      this.happens = () => Promise.resolve();
      const sessions = [1, 2, 3].map(() => sessionAt(this.nowMs));
      for (const session of sessions) await this.store.create(session);
      const ids = sessions.map(({ id }) => id);
      this.moments = 0;
      this.happens = async (moment) => {
        await also(moment, ids);
        if (moment === at) await happens(ids);
      };
      const answer = await call(ids);
      if (at === -1) all = this.moments;
      await then(answer, ids, at);
    }
    this.moments = all;
  }

  /** At every moment. */
  always(happens: () => Promise<void>): void {
    this.happens = happens;
  }

  /** The store has another log, and is as it was before any edge acquired or reported these sessions. */
  failOver(ids: readonly string[]): Promise<void> {
    return this.happen(async () => {
      for (const id of ids) {
        await this.update("session", id, ({ found }) => {
          return {
            answer: undefined,
            changes: { removedRows: (found?.rows ?? []).map((row) => ({ ...row, sessionId: id })) },
          };
        });
      }
      this.store.invalidations.change((++this.logs).toString(16).padStart(16, "f"));
    });
  }

  revoke(id: string): Promise<void> {
    return this.happen(() =>
      this.update("session", id, ({ found }) => decideRevocation(found?.session, this.nowMs, undefined)),
    );
  }

  /** What happens has no moments of its own. */
  private async happen(what: () => Promise<unknown>): Promise<void> {
    this.happening++;
    await what();
    this.happening--;
  }

  private divide(): void {
    const { store } = this;
    const { usage } = store;
    const [position, look] = [store.position.bind(store), usage.look.bind(usage)];
    store.update = (...asked) => this.step(() => this.update(...asked));
    store.position = () => this.step(position);
    usage.look = (id) => this.step(() => look(id));
    store.betweenLoadAndCommit = () => this.moment();
  }

  private async step<T>(take: () => Promise<T>): Promise<T> {
    await this.moment();
    const taken = await take();
    await this.moment();
    return taken;
  }

  private async moment(): Promise<void> {
    if (this.happening === 0) await this.happens(this.moments++);
  }
}
