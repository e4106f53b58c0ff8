// Clients that issue sessions all the time, at several control planes in turn, and know what was acknowledged and when.
import { setTimeout as delay } from "node:timers/promises";

import { Failure } from "../../../scripts/failure.js";
import { creationOf } from "../control-plane/stored-sessions.js";
import type { Bench } from "./bench.js";
import type { Plane } from "./planes.js";
import { callPlane } from "./watching.js";

const CLIENTS = 16;
const LOOKED_AT_ONCE = 16;
/** After a call that found nobody, or was answered 503. */
const REST_MS = 10;

interface Acknowledged {
  readonly id: string;
  /** By `performance.now()`. */
  readonly atMs: number;
}

export class Creations {
  readonly acknowledged: Acknowledged[] = [];
  private stopping = false;
  private readonly running: Promise<unknown>;

  /** They begin. */
  constructor(
    private readonly bench: Bench,
    private readonly planes: readonly Plane[],
  ) {
    this.running = Promise.all(Array.from({ length: CLIENTS }, (_, client) => this.issue(client)));
  }

  /** Resolves once nothing is under way. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  /** How many of the acknowledged sessions there are not. To be called once it has stopped. */
  async missing(): Promise<number> {
    let missing = 0;
    for (let from = 0; from < this.acknowledged.length; from += LOOKED_AT_ONCE) {
      const some = this.acknowledged.slice(from, from + LOOKED_AT_ONCE);
      const found = await Promise.all(some.map(({ id }) => this.ask("GET", 0, `/v1/sessions/${id}`)));
      for (const { status } of found) {
        if (status !== 200 && status !== 404) throw new Failure(`a session was answered with ${status}`);
        if (status === 404) missing += 1;
      }
    }
    return missing;
  }

  /** Between two acknowledgements. */
  longestBreakMs(): number {
    const times = this.acknowledged.map(({ atMs }) => atMs);
    return Math.max(...times.slice(1).map((atMs, i) => atMs - (times[i] ?? atMs)));
  }

  private async issue(client: number): Promise<void> {
    for (let turn = client; !this.stopping; turn++) {
      // Where nobody is there the connection is refused.
      const answer = await this.ask("POST", turn, "/v1/sessions", creationOf(turn)).catch(() => undefined);
      if (answer?.status === 201) {
        const { session } = JSON.parse(answer.text) as { session: { id: string } };
        this.acknowledged.push({ id: session.id, atMs: performance.now() });
      } else if (answer === undefined || answer.status === 503) await delay(REST_MS);
      else throw new Failure(`a session was answered with ${answer.status}: ${answer.text}`);
    }
  }

  private ask(method: string, turn: number, path: string, body?: object) {
    const plane = this.planes[turn % this.planes.length];
    if (plane === undefined) throw new Failure("there is no control plane");
    return callPlane(method, plane, path, this.bench.admin, body);
  }
}
