// The figures of a run, from what became of its requests.
import type { SessionDemand } from "./demand.js";
import { decisionsOf, type Entry } from "./ledger.js";
import { boundOf, type Bucket, overOf, type Window, worstWindow } from "./windows.js";

export interface SessionFigures {
  readonly sent: number;
  readonly admitted: number;
  /** What one bucket may have admitted from the first sending to the last. */
  readonly bound: number;
  /** What one bucket for all Envoys would have admitted of the same requests. */
  readonly possible: number;
  /** Tokens beyond the bound in the window where they are most; 0: none in any. */
  readonly over: number;
  readonly worst: Window | undefined;
}

export interface Figures extends Omit<SessionFigures, "worst"> {
  /** `admitted` of `possible`, of the sessions that ask for more all the time: 1 where nothing is left unused. */
  readonly use: number;
  /** The same of those that rest: what they find when they come back is a matter of where it is. Null: none does. */
  readonly useAfterRests: number | null;
  /** Answers by status; "none": there was none, or not yet. */
  readonly answers: Readonly<Record<string, number>>;
  readonly sessions: readonly SessionFigures[];
}

export function figuresOf(entries: readonly Entry[], demands: readonly SessionDemand[], bucket: Bucket): Figures {
  const bySession: Entry[][] = demands.map(() => []);
  const answers: Record<string, number> = {};
  for (const entry of entries) {
    bySession[entry.session]?.push(entry);
    const status = (entry.status ?? 0) === 0 ? "none" : String(entry.status);
    answers[status] = (answers[status] ?? 0) + 1;
  }
  const each = bySession.map((own) => sessionFigures(own, bucket));
  const rests = (_: unknown, session: number): boolean => (demands[session]?.restsMs ?? 0) > 0;
  return {
    ...{ sent: entries.length, answers, sessions: each },
    admitted: sumOf(each, "admitted"),
    possible: sumOf(each, "possible"),
    bound: sumOf(each, "bound"),
    over: sumOf(each, "over"),
    use: useOf(each.filter((one, session) => !rests(one, session))),
    useAfterRests: each.some(rests) ? useOf(each.filter(rests)) : null,
  };
}

const sumOf = (each: readonly SessionFigures[], name: "admitted" | "possible" | "bound" | "over"): number =>
  each.reduce((sum, one) => sum + one[name], 0);

function useOf(each: readonly SessionFigures[]): number {
  const possible = sumOf(each, "possible");
  return possible === 0 ? 1 : sumOf(each, "admitted") / possible;
}

/** @param entries of one session, as they were sent */
function sessionFigures(entries: readonly Entry[], bucket: Bucket): SessionFigures {
  const decisions = decisionsOf(entries);
  const worst = worstWindow(decisions, bucket);
  const [first, last] = [entries.at(0), entries.at(-1)];
  return {
    sent: entries.length,
    admitted: decisions.length,
    bound: first === undefined || last === undefined ? 0 : boundOf(bucket, last.sentMs - first.sentMs),
    possible: admittedByOne(entries, bucket),
    over: worst === undefined ? 0 : overOf(worst),
    worst,
  };
}

/** Of these requests, as they were sent, by a bucket that is full at first. */
export function admittedByOne(entries: readonly Pick<Entry, "sentMs">[], { max, perSecond }: Bucket): number {
  let [level, atMs, admitted] = [max, entries.at(0)?.sentMs ?? 0, 0];
  for (const { sentMs } of entries) {
    level = Math.min(max, level + ((sentMs - atMs) * perSecond) / 1000);
    atMs = sentMs;
    if (level < 1) continue;
    level--;
    admitted++;
  }
  return admitted;
}
