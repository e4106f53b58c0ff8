// Whether a session is idle for too long, by what edges have reported and by which may still have something to report.
import { graceMs, isIdle } from "../../domain/idleness.js";
import type { IdleMoment } from "../../domain/idleness.js";
import type { Session } from "../../domain/session.js";
import type { Instance } from "../../domain/stored.js";
import type { EdgeRegistry } from "../edges/status/edge-registry.js";
import type { CurrentPolicy, SteadyClock } from "../ports/ports.js";

interface IdlePorts {
  readonly policies: CurrentPolicy;
  readonly instances: EdgeRegistry;
  readonly clock: SteadyClock;
}

export function idleMoment({ policies, instances, clock }: IdlePorts): IdleMoment {
  const elapsedMs = (sinceMs: number): number => clock.elapsedMs(sinceMs);
  return { policy: policies.current()?.policy, elapsedMs, listeningMs: instances.listeningMs() };
}

/** By how instances stand at this moment. */
export function idleNow(ports: IdlePorts): (session: Session, holders: readonly Instance[]) => boolean {
  const moment = idleMoment(ports);
  if (moment.policy === undefined) return () => false;
  const standings = ports.instances.standings(graceMs(moment.policy));
  return (session, holders) => isIdle(session, holders, moment, standings);
}
