// Whether a session is idle for too long, by what edges have reported and by which may still have something to report.
import { graceMs, isIdle } from "../../domain/idleness.js";
import type { IdleMoment } from "../../domain/idleness.js";
import type { Session } from "../../domain/session.js";
import type { Instance } from "../../domain/stored.js";
import type { EdgeRegistry } from "../edges/status/edge-registry.js";
import type { CurrentPolicy } from "../ports/ports.js";

interface IdlePorts {
  readonly policies: CurrentPolicy;
  readonly instances: EdgeRegistry;
}

export function idleMoment({ policies, instances }: IdlePorts, nowMs: number): IdleMoment {
  return { policy: policies.current()?.policy, nowMs, listeningMs: instances.listeningMs() };
}

/** The decision at a time, by how instances stand at this moment. */
export function idleAt(ports: IdlePorts, nowMs: number): (session: Session, holders: readonly Instance[]) => boolean {
  const moment = idleMoment(ports, nowMs);
  if (moment.policy === undefined) return () => false;
  const standings = ports.instances.standings(graceMs(moment.policy));
  return (session, holders) => isIdle(session, holders, moment, standings);
}
