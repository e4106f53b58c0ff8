// The sessions of all runs: in one set of the table, so that their requests collide.
import { Edge } from "../scenes/edge.js";
import { sessionsOfOneSet } from "../scenes/same-set-sessions.js";
import type { Session } from "../scenes/tokens.js";

const SESSIONS = 4;

export function settleSessions(): readonly Session[] {
  return sessionsOfOneSet(new Edge(), SESSIONS);
}
