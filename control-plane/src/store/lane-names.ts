// Which updates would meet in the store: those that share one of these names.
import type { Loads } from "../app/ports/update-ports.js";
import type { Changes } from "../domain/changes.js";

type Names = { readonly [Kind in keyof Loads]: (wanted: Loads[Kind]["wanted"]) => readonly string[] };

const NONE = (): readonly string[] => [];

export const laneOfSession = (id: string): string => `session ${id}`;

/** Pages have none: which sessions are in one is known only once it is loaded. */
const NAMES: Names = {
  session: (id) => [laneOfSession(id)],
  consumption: ({ sessionId }) => [laneOfSession(sessionId)],
  planChange: ({ sessionId }) => [laneOfSession(sessionId)],
  report: (rows) => [...new Set(rows.map(({ sessionId }) => laneOfSession(sessionId)))],
  leases: (ids) => [...new Set(ids.map(laneOfSession))],
  creation: ({ key, peers }) => [
    ...(key === null ? [] : [`creation key ${key}`]),
    ...(peers === null ? [] : [`peers ${JSON.stringify([peers.planId, peers.userId])}`]),
  ],
  revocationChunk: ({ id }) => [`revocation ${id}`],
  newestSession: NONE,
  byActivity: NONE,
  byCreation: NONE,
  createdAfter: NONE,
  ended: NONE,
  withDetails: NONE,
};

export const lanesOf = <Kind extends keyof Loads>(kind: Kind, wanted: Loads[Kind]["wanted"]): readonly string[] =>
  NAMES[kind](wanted);

/** Of the stored sessions that are changed. */
export function sessionLanesOf({
  sessions = [],
  rows = [],
  removedRows = [],
  budgets = [],
}: Changes): readonly string[] {
  const changed = sessions.flatMap(({ before }) => (before === null ? [] : [before.id]));
  const ids = new Set([...changed, ...[...rows, ...removedRows, ...budgets].map(({ sessionId }) => sessionId)]);
  return [...ids].map(laneOfSession);
}
