// Work that waits for its turn: of what shares a name one runs at a time, in the order in which it came.

interface Waiting {
  readonly names: readonly string[];
  /** In so many lanes something is before it. */
  behind: number;
  readonly begin: () => void;
}

export class Lanes {
  /** By name: what runs, and behind it what waits. None is empty. */
  private readonly lanes = new Map<string, Waiting[]>();

  /** Everything takes its place in all its lanes at once, so that no two wait for each other. */
  async run<Answer>(names: readonly string[], work: () => Promise<Answer>): Promise<Answer> {
    const leave = await this.enter([...new Set(names)]);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  private enter(names: readonly string[]): Promise<() => void> {
    return new Promise((resolve) => {
      const one: Waiting = {
        names,
        behind: 0,
        begin: () => {
          resolve(() => {
            this.leave(one);
          });
        },
      };
      for (const name of names) {
        const lane = this.lanes.get(name);
        if (lane === undefined) this.lanes.set(name, [one]);
        else {
          lane.push(one);
          one.behind += 1;
        }
      }
      if (one.behind === 0) one.begin();
    });
  }

  private leave({ names }: Waiting): void {
    for (const name of names) {
      const lane = this.lanes.get(name) ?? [];
      lane.shift();
      const [next] = lane;
      if (next === undefined) {
        this.lanes.delete(name);
        continue;
      }
      next.behind -= 1;
      if (next.behind === 0) next.begin();
    }
  }
}
