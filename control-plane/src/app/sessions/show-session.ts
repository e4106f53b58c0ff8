// Use case: show one session.
import { viewOf } from "./sessions.js";
import type { SessionPorts, SessionView } from "./sessions.js";

/** Undefined if there is no such session. */
export async function showSession(ports: SessionPorts, id: string): Promise<SessionView | undefined> {
  const session = await ports.store.find(id);
  return session && viewOf(session, ports.policies, ports.clock.nowMs());
}
