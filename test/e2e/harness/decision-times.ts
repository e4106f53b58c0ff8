// When decisions can have been made, as their clients can know: a request's decision lies between its sending and its
// answer. From that follow bounds that hold whatever the network, the scheduler and the load do.

export interface Decision {
  readonly sentMs: number;
  readonly answeredMs: number;
}

const MS_PER_S = 1000;

export class DecisionTimes {
  private readonly decisions: Decision[] = [];

  add(decision: Decision): void {
    this.decisions.push(decision);
  }

  /** At least as long as from the first decision to the last: from the first sending to the last answer. */
  get elapsedAtMostS(): number {
    const { sentMs, answeredMs } = this.columns();
    return (max(answeredMs) - min(sentMs)) / MS_PER_S;
  }

  /**
   * At most as long as from the first decision to the last: the first was made before the first answer came, the last
   * after the last sending. 0 if those overlap.
   */
  get elapsedAtLeastS(): number {
    const { sentMs, answeredMs } = this.columns();
    return Math.max(0, max(sentMs) - min(answeredMs)) / MS_PER_S;
  }

  /**
   * At least as long as the longest time between two consecutive decisions. After a decision at t the next comes no
   * later than the earliest answer to any request that was sent after t. As t moves from one sending to the next, that
   * answer stays the same, so the wait is longest right after a sending.
   */
  get longestGapAtMostS(): number {
    const bySending = this.decisions.toSorted((one, other) => one.sentMs - other.sentMs);
    let longestMs = 0;
    let earliestAnswerMs = Infinity;
    for (let at = bySending.length - 1; at > 0; at--) {
      earliestAnswerMs = Math.min(earliestAnswerMs, bySending[at]?.answeredMs ?? Infinity);
      longestMs = Math.max(longestMs, earliestAnswerMs - (bySending[at - 1]?.sentMs ?? 0));
    }
    return longestMs / MS_PER_S;
  }

  private columns(): { sentMs: number[]; answeredMs: number[] } {
    if (this.decisions.length === 0) throw new Error("there were no decisions");
    return {
      sentMs: this.decisions.map(({ sentMs }) => sentMs),
      answeredMs: this.decisions.map(({ answeredMs }) => answeredMs),
    };
  }
}

const min = (values: readonly number[]): number => values.reduce((least, value) => Math.min(least, value));
const max = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value));
