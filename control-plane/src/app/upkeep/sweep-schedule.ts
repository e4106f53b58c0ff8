// When sessions are swept: one sweep at a time over all control planes, the next a cleanupInterval of the policy later.
import type { Timers } from "../ports/log-ports.js";
import { stoppedOr } from "./claimed-work.js";
import type { ClaimedWork } from "./claimed-work.js";
import { logStoreFailure } from "./store-keeping.js";
import { sweepSessions } from "./sweep-sessions.js";
import type { SweepPorts } from "./sweep-sessions.js";

/** Until there is a policy to ask. */
const DEFAULT_INTERVAL_MS = 60_000;

/** Starts sweeping. The first sweep is an interval away. The result stops it, and resolves once a sweep that is under way is at rest. */
export function startSweeping(ports: SweepPorts, claimed: ClaimedWork, timers: Timers): () => Promise<void> {
  let stopped = false;
  let underWay: Promise<void> = Promise.resolve();
  let cancel: () => void = () => undefined;

  const schedule = (): void => {
    const interval = ports.policies.current()?.policy.sessions.cleanupInterval ?? DEFAULT_INTERVAL_MS;
    cancel = timers.after(interval, () => {
      underWay = sweep();
    });
  };
  const sweepOrLeaveIt = async (): Promise<void> => {
    const isHere = await claimed.run("sweep", (lost) =>
      sweepSessions(
        ports,
        stoppedOr(() => stopped, lost),
      ),
    );
    // Which edges are gone each process knows for itself.
    if (!isHere) ports.instances.forgetGone();
  };
  const sweep = async (): Promise<void> => {
    try {
      if (ports.clock.isSettled()) await sweepOrLeaveIt();
    } catch (error) {
      const fields = { event: "session-cleanup-failed" };
      logStoreFailure(ports.logger, error, fields, "the sweep failed, the next one goes on");
    }
    if (!stopped) schedule();
  };

  schedule();
  return async () => {
    stopped = true;
    cancel();
    await underWay;
  };
}
