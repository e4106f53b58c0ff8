// Whether what is stored of an instance says the same as what is known: only a change is written soon. Pure.
import type { EdgeStatus, WatchSaid } from "../../ports/edge-status-ports.js";

/** Whether the state is the same. */
export const isStateOf = (one: EdgeStatus, other: EdgeStatus): boolean =>
  one.watching === other.watching && isSame(one.lastWatch, other.lastWatch) && runTheSame(one, other);

/** Of those that both know: which there are changes with their reports. */
function runTheSame({ detail: one }: EdgeStatus, { detail: other }: EdgeStatus): boolean {
  if (one === undefined || other === undefined) return one === other;
  const hashes = new Map(other.workers.map(({ worker, runs }) => [worker, runs?.hash]));
  return one.workers.every(({ worker, runs }) => hashes.has(worker) && hashes.get(worker) === runs?.hash);
}

/** But for the cursor and the number of records, which move all the time. */
function isSame(one: WatchSaid | undefined, other: WatchSaid | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const { policy, filter } = one;
  return (
    one.log === other.log &&
    one.follow === other.follow &&
    policy?.log === other.policy?.log &&
    policy?.generation === other.policy?.generation &&
    policy?.hash === other.policy?.hash &&
    policy?.state === other.policy?.state &&
    filter?.version === other.filter?.version &&
    filter?.build === other.filter?.build &&
    filter?.policyFormat === other.filter?.policyFormat
  );
}
