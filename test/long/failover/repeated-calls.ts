// Calls of a client that repeats what was not answered, at one control plane and then the other.
import { setTimeout as delay } from "node:timers/promises";

import type { Answered, Plane } from "../../../control-plane/test/support/planes-over-server.js";
import { networkFailure } from "./recorder.js";
import type { Recorder } from "./recorder.js";

export const REST_MS = 20;

export class RepeatedCalls {
  constructor(
    private readonly planes: readonly Plane[],
    private readonly recorder: Recorder,
    private readonly over: AbortSignal,
  ) {}

  /**
   * Until it is answered with this status. What has another one, and is no 503, is wrong; undefined where it says that what
   * was asked about is not there: then it never will be.
   * @param round which of the control planes is asked first
   * @throws once it is over: nobody answers any more
   */
  async acknowledged(
    round: number,
    status: number,
    ask: (plane: Plane) => Promise<Answered>,
  ): Promise<Answered | undefined> {
    for (let turn = round; ; turn++) {
      this.over.throwIfAborted();
      const answer = await this.answer(this.at(turn), ask);
      if (answer?.status === status) return answer;
      if (answer?.status === 404) return undefined;
      await delay(REST_MS);
    }
  }

  /** One of the control planes, by turns. */
  at(turn: number): Plane {
    const plane = this.planes[turn % this.planes.length];
    if (plane === undefined) throw new Error("there is no control plane");
    return plane;
  }

  private async answer(plane: Plane, ask: (plane: Plane) => Promise<Answered>): Promise<Answered | undefined> {
    const { recorder } = this;
    try {
      const answer = await ask(plane);
      if (answer.status >= 400) recorder.failed(`a client (${JSON.stringify(answer.body)})`, answer.status);
      if (answer.status === 503 && Number(answer.retryAfter) <= 0) recorder.wrong.push("503 without Retry-After");
      return answer;
    } catch (error) {
      recorder.failed("a client", networkFailure(error));
      return undefined;
    }
  }
}
