// Whether so many replicas have what was written: asked once for all writes of a turn.
import { StoreUnwritable } from "../../../app/ports/store-health.js";
import type { Life } from "../connection/life.js";

/** A replica that is well answers within some milliseconds; a client's call waits no longer than this for one that is not. */
const WITHIN_MS = 1000;

export class Replicas {
  private asked: { readonly life: Life; readonly answer: Promise<number> } | undefined;

  constructor(private readonly wanted: number) {}

  /**
   * Resolves once they have all that has been sent on this life's connection for writes. That connection waits meanwhile:
   * what is written next goes together, and is asked about once.
   * @throws StoreUnwritable: the write stands, and would not outlive the primary
   */
  async have(life: Life): Promise<void> {
    if (this.wanted === 0) return;
    if (this.asked?.life !== life) this.asked = { life, answer: this.ask(life) };
    const have = await this.asked.answer;
    if (have >= this.wanted) return;
    throw new StoreUnwritable(`${have} of ${this.wanted} replicas have confirmed a write within ${WITHIN_MS} ms`);
  }

  private async ask(life: Life): Promise<number> {
    // What else is sent in this turn goes before.
    await Promise.resolve();
    this.asked = undefined;
    return Number(await life.writes.send(["WAIT", String(this.wanted), String(WITHIN_MS)]));
  }
}
