// Makes a store ready for this program: a new one begins its log, an older one is brought to this schema, step by step.
import type { Random } from "../../app/ports/ports.js";
import { UnfitFile } from "../../files/regular-file.js";
import type { AuditAction } from "../../domain/stored.js";
import { SCHEMA } from "./layout.js";
import type { LmdbLayout } from "./layout.js";
import { beginningText } from "../../domain/leases/store-life.js";
import { newLogId } from "../log-id.js";
import { BEGAN, beginLife } from "./fleet-time.js";
import { keepNewestPolicy } from "./policies.js";

/** The schema of a store that is being copied into (image.ts). No step leads from it, in no version. */
export const COPYING = 0;

type Step = (db: LmdbLayout, random: Random) => void;

/** From each schema to the one after it. Within one transaction, so a kill in the middle leaves the store as it was. */
const STEPS: ReadonlyMap<number, Step> = new Map<number, Step>([
  [1, toSchema2],
  // Rows of usage are read in both forms (usage-rows.ts): programs that cannot are kept away by the number.
  [2, () => undefined],
  [3, toSchema4],
  // Sessions of before have no issuer and stand in no index of one: programs that fill none are kept away by the number.
  [4, () => undefined],
  // Rows of usage of before have no levels of further limits. Programs that would drop them are kept away by the number.
  [5, () => undefined],
  // Sessions of before have no fleet budget. Programs that would leave one behind with each session that they remove, and take
  // what is left of a lease for a level, are kept away by the number. In their life of the store nothing was leased.
  [6, beginWithoutLeases],
]);

/**
 * Answers the id of the store's log. Rejects where the store was written by a newer program, or by one too old; then
 * nothing is changed.
 */
export async function prepareSchema(db: LmdbLayout, random: Random): Promise<string> {
  // Nothing is written then: a control plane starts on a full disk too.
  if (db.meta.get("schema") === SCHEMA) return db.meta.get("log") as string;
  const found = await db.commits.run(() => {
    const schema = db.meta.get("schema") as number | undefined;
    if (schema === undefined) begin(db, random);
    else if (schema !== SCHEMA && !canMigrate(schema)) return schema;
    else for (let at = schema; at < SCHEMA; at++) STEPS.get(at)?.(db, random);
    void db.meta.put("schema", SCHEMA);
    return SCHEMA;
  });
  if (found === SCHEMA) return db.meta.get("log") as string;
  if (found === COPYING) throw new UnfitFile("a copy into this store was begun and is not finished: go on with that");
  const newer = found > SCHEMA ? ": it was written by a newer version" : "";
  throw new UnfitFile(`the store has schema ${found}, this program reads up to schema ${SCHEMA}${newer}`);
}

function begin(db: LmdbLayout, random: Random): void {
  beginLife(db, newLogId(random));
  void db.meta.put("cursor", 0);
}

/** Makes what has been copied a store of this schema, with a log of its own. Inside `commits.run`. */
export function beginStore(db: LmdbLayout, random: Random): void {
  begin(db, random);
  void db.meta.put("schema", SCHEMA);
}

function canMigrate(schema: number): boolean {
  for (let at = schema; at < SCHEMA; at++) if (!STEPS.has(at)) return false;
  return schema < SCHEMA;
}

/**
 * Logs were named by 32 digits, of which edges cannot keep track; a new name makes every edge begin anew. Sessions were
 * not filed by user and plan.
 */
function toSchema2(db: LmdbLayout, random: Random): void {
  void db.meta.put("log", newLogId(random));
  for (const [planId, id] of db.byPlan.getKeys()) {
    const session = db.sessions.get(id);
    if (session !== undefined) void db.byUserAndPlan.put([session.userId, planId, id], true);
  }
}

function beginWithoutLeases({ meta }: LmdbLayout): void {
  void meta.put(BEGAN, beginningText(meta.get("log") as string, 0, ""));
}

/** Names of actions in the audit log before schema 4. */
const RENAMED_ACTIONS: Readonly<Record<string, AuditAction>> = {
  "session-moved": "plan-changed",
  "policy-refused": "policy-rejected",
};

function toSchema4(db: LmdbLayout): void {
  keepNewestPolicy(db);
  for (const { key, value } of [...db.audit.getRange()]) {
    const action = RENAMED_ACTIONS[value.action];
    if (action !== undefined) void db.audit.put(key, { ...value, action });
  }
}
