// Which sessions an acquire asks about, and what its answer says of each.
import type { Call } from "./sim-worker.js";
import type { HttpAnswer } from "./sim-plane.js";

/** The sessions that a call asks about: none where it is no acquire. */
export function sessionsIn({ json }: Call): string[] {
  const { session, others = [] } = json as { session?: string; others?: { session: string }[] };
  return session === undefined ? [] : [session, ...others.map((other) => other.session)];
}

/** What an answer says of one of the sessions that its call asks about. */
export interface Said {
  readonly session: string;
  readonly state: string;
  readonly log: string;
  /** Of further limits, by name: microtokens. */
  readonly levels?: Readonly<Record<string, number>>;
}

/** What the answer to an acquire says of each of its sessions; nothing for other calls, and where it is none. */
export function saidOf(call: Call, { status, body }: HttpAnswer): Said[] {
  const [session] = sessionsIn(call);
  if (session === undefined || status !== 200) return [];
  const { others = [], ...first } = JSON.parse(body) as Omit<Said, "session"> & { others?: Said[] };
  return [{ session, ...first }, ...others];
}
