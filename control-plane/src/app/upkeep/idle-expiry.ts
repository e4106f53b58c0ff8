// Whether a session is idle for too long, by what edges have reported and by which may still have something to report.
import { graceMs, isIdle } from "../../domain/idleness.js";
import type { IdleMoment, InstanceStatuses } from "../../domain/idleness.js";
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

type IsIdle = (session: Session, holders: readonly Instance[]) => boolean;

/** By how instances stand at this moment. */
export const idleNow = (ports: IdlePorts): IsIdle => idleBy(ports, (grace) => ports.instances.standings(grace));

/** The same where these hold the session, in a time that depends on no others. Who holds it only later is not known: not idle. */
export const idleNowAt = (ports: IdlePorts, holders: readonly Instance[]): IsIdle =>
  idleBy(ports, (grace) => ports.instances.standingsOf(holders, grace));

function idleBy(ports: IdlePorts, standingsNow: (graceMs: number) => InstanceStatuses): IsIdle {
  const moment = idleMoment(ports);
  if (moment.policy === undefined) return () => false;
  const standings = standingsNow(graceMs(moment.policy));
  return (session, holders) => isIdle(session, holders, moment, standings);
}
