// Use case: show one session.
import type { IssuedBy } from "../../domain/issued-by.js";
import { viewOf } from "./sessions.js";
import type { SessionPorts, SessionView } from "./sessions.js";
import { isWithinReach } from "./within-reach.js";

/** Undefined if there is no such session, or none that the caller issued. */
export async function showSession(
  ports: SessionPorts,
  id: string,
  issuedBy: IssuedBy | null,
): Promise<SessionView | undefined> {
  if (!(await isWithinReach(ports, id, issuedBy))) return undefined;
  const session = await ports.store.find(id);
  return session && viewOf(session, ports.policies, ports.clock.nowMs());
}
