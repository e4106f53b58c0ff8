// Use case: show one session, and under a plan of fleet scope what is left of its budget.
import type { IssuedBy } from "../../domain/issued-by.js";
import type { UsagePorts } from "../edges/usage.js";
import { fleetView } from "./fleet-view.js";
import type { FleetView } from "./fleet-view.js";
import { viewOf } from "./sessions.js";
import type { SessionView } from "./sessions.js";
import { isWithinReach } from "./within-reach.js";

export interface ShownSession {
  readonly session: SessionView;
  /** Absent under a plan of another scope. */
  readonly fleet?: FleetView;
}

/** Undefined if there is no such session, or none that the caller issued. */
export async function showSession(
  ports: UsagePorts,
  id: string,
  issuedBy: IssuedBy | null,
): Promise<ShownSession | undefined> {
  if (!(await isWithinReach(ports, id, issuedBy))) return undefined;
  const found = await ports.store.find(id);
  if (found === undefined) return undefined;
  const session = viewOf(found, ports.policies, ports.clock.nowMs());
  const fleet = hasFleetPlans(ports) ? fleetView(ports, await ports.usage.look(id)) : undefined;
  return fleet === undefined ? { session } : { session, fleet };
}

/** Where none is, all that was reported of the session need not be read. */
const hasFleetPlans = ({ policies }: Pick<UsagePorts, "policies">): boolean =>
  policies.current()?.policy.plans.some(({ scope }) => scope === "fleet") === true;
