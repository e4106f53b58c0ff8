// Leases in tests that are about something else: no time passes for them, and nobody counts them.
import { leasePorts } from "../../src/app/edges/lease-commits.js";
import type { LeasePartsGiven, LeasePorts } from "../../src/app/edges/lease-commits.js";

const nothing = (): void => undefined;

export function quietLeases(parts: Pick<LeasePartsGiven, "updates" | "policies" | "clock" | "logger">): LeasePorts {
  const fleetClock = { now: () => undefined, see: nothing, learn: nothing };
  return leasePorts({ ...parts, fleetClock, meter: { leased: nothing, askDropped: nothing } });
}
