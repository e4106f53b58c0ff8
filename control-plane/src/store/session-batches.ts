// Updates of one session that wait at the same time: they are decided one after the other, and committed once.
import type { Loads } from "../app/ports/update-ports.js";
import { unchanged } from "../domain/changes.js";
import type { Changes, Decision } from "../domain/changes.js";
import { bothChanges, isOfOne, recordAfter } from "../domain/successive-changes.js";

type State = Loads["session"]["found"];
type Decide<Answer> = (found: State) => Decision<Answer>;

/** One commit holds all that they write. */
const MAX_A_BATCH = 64;

interface Member {
  readonly decide: Decide<unknown>;
  readonly done: (decision: Decision<unknown>) => void;
  readonly failed: (reason: unknown) => void;
}

/** Of a member: its decision, or what it threw. Undefined: it has to be decided on what the others have written. */
type Outcome = { readonly decision: Decision<unknown> } | { readonly thrown: unknown } | undefined;

/** Decides on all members once it is their turn. `begin` is to be called then: nobody joins any more. */
export type RunBatch = (
  decideAll: Decide<readonly Outcome[]>,
  begin: () => void,
) => Promise<Decision<readonly Outcome[]>>;

export class SessionBatches {
  /** By lane: the last one that has not begun. */
  private readonly open = new Map<string, Member[]>();

  /** Joins those of the lane that wait; the first of them has `run` called. */
  join<Answer>(lane: string, decide: Decide<Answer>, run: RunBatch): Promise<Decision<Answer>> {
    return new Promise((resolve, failed) => {
      const member: Member = { decide, failed, done: resolve as Member["done"] };
      const waiting = this.open.get(lane);
      if (waiting !== undefined && waiting.length < MAX_A_BATCH) waiting.push(member);
      else void this.start(lane, [member], run);
    });
  }

  private async start(lane: string, members: Member[], run: RunBatch): Promise<void> {
    this.open.set(lane, members);
    const begin = (): void => {
      if (this.open.get(lane) === members) this.open.delete(lane);
    };
    let left: readonly Member[] = members;
    try {
      while (left.length > 0) {
        const { answer: outcomes } = await run((state) => decideEach(state, left), begin);
        const decided = left;
        left = decided.filter((_, index) => outcomes[index] === undefined);
        decided.forEach((member, index) => {
          tell(member, outcomes[index]);
        });
      }
    } catch (error) {
      for (const { failed } of left) failed(error);
    }
  }
}

function tell({ done, failed }: Member, outcome: Outcome): void {
  if (outcome === undefined) return;
  if ("thrown" in outcome) failed(outcome.thrown);
  else done(outcome.decision);
}

/** Each on what those before it made of the session. The log's position counts what they append. */
function decideEach(state: State, members: readonly Member[]): Decision<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let changes: Changes | undefined;
  let now: State | undefined = state;
  for (const { decide } of members) {
    if (now === undefined) break;
    const outcome = decideOne(now, decide);
    outcomes.push(outcome);
    if ("thrown" in outcome) continue;
    const { decision } = outcome;
    changes = changes === undefined ? decision.changes : bothChanges(changes, decision.changes);
    now = stateAfter(now, decision.changes);
  }
  return changes === undefined ? unchanged(outcomes) : { answer: outcomes, changes };
}

function decideOne(state: State, decide: Decide<unknown>): NonNullable<Outcome> {
  try {
    return { decision: decide(state) };
  } catch (thrown) {
    return { thrown };
  }
}

function stateAfter(state: State, changes: Changes): State | undefined {
  const { found, position } = state;
  if (Object.keys(changes).length === 0) return state;
  if (found === undefined || !isOfOne(found.session.id, changes)) return undefined;
  const cursor = position.cursor + (changes.invalidations?.length ?? 0);
  return { ...state, found: recordAfter(found, changes), position: { ...position, cursor } };
}
