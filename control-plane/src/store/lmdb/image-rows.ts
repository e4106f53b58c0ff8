// Writes rows of a copy, with the indexes that follow from them. Inside `commits.run`; what is there already is written again.
import { hasEndedForGood } from "../../domain/session.js";
import type { ImageKind, ImageRows, SessionImage } from "../copy/store-image.js";
import { putCreationKey } from "./creation-keys.js";
import { FLEET_TIME } from "./fleet-time.js";
import type { LmdbLayout } from "./layout.js";
import { indexSession, indexUnderPlan } from "./session-index.js";

type PutOf = { readonly [Kind in ImageKind]: (db: LmdbLayout, row: ImageRows[Kind]) => void };

const PUT: PutOf = {
  policies: ({ policies }, policy) => void policies.put(policy.generation, { ...policy, position: null }),
  audit: ({ audit }, { number, ...event }) => void audit.put(number, event),
  creationKeys: (db, { key, ...made }) => {
    putCreationKey(db, key, made);
  },
  revocations: ({ revocations }, operation) => void revocations.put(operation.id, operation),
  fleetTime: ({ meta }, { ms }) => void meta.put(FLEET_TIME, ms),
  sessions: putSession,
};

export function putRows<Kind extends ImageKind>(db: LmdbLayout, kind: Kind, rows: readonly ImageRows[Kind][]): void {
  for (const row of rows) PUT[kind](db, row);
}

function putSession(db: LmdbLayout, { session, rows, budget, consumptionKeys }: SessionImage): void {
  const { id } = session;
  void db.sessions.put(id, session);
  indexSession(db, session);
  // Where a control plane runs, the walk by activity indexes those that were revoked: these would never come up there.
  if (hasEndedForGood(session)) void db.ended.put(id, true);
  else indexUnderPlan(db, session);
  for (const { edge, instance, ...row } of rows) void db.usage.put([id, edge, instance], row);
  if (budget !== undefined) void db.leases.put(id, budget);
  for (const { key, ...consumed } of consumptionKeys) {
    void db.consumptions.put([id, key], consumed);
    void db.consumptionsByTime.put([consumed.atMs, id, key], true);
  }
}
