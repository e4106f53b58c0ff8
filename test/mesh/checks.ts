// What was tried, each by name, and how it ended. All of it is tried: one failure does not end the run.
export type Outcome = "passed" | "failed" | "not run";

export interface Check {
  /** Which part of the run it belongs to. */
  readonly step: string;
  readonly name: string;
  readonly outcome: Outcome;
  /** Why it failed or did not run, in one line; else empty. */
  readonly reason: string;
}

export class Checks {
  readonly all: Check[] = [];

  /** @param tell is told of each check as it ends */
  constructor(private readonly tell: (line: string) => void) {}

  /** @param holds rejects where the check fails @returns whether it passed */
  async check(step: string, name: string, holds: () => unknown): Promise<boolean> {
    try {
      await holds();
      this.ended({ step, name, outcome: "passed", reason: "" });
      return true;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.ended({ step, name, outcome: "failed", reason: firstLine(text) });
      this.tell(text);
      return false;
    }
  }

  notRun(step: string, name: string, reason: string): void {
    this.ended({ step, name, outcome: "not run", reason });
  }

  count(outcome: Outcome): number {
    return this.all.filter((one) => one.outcome === outcome).length;
  }

  get summary(): string {
    const skipped = this.count("not run");
    const counts = `${this.count("passed")} passed, ${this.count("failed")} failed`;
    return skipped === 0 ? counts : `${counts}, ${skipped} not run`;
  }

  private ended(check: Check): void {
    this.all.push(check);
    const { step, name, outcome, reason } = check;
    this.tell(`${outcome.padEnd(7)} ${step}: ${name}${reason === "" ? "" : ` (${reason})`}`);
  }
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
