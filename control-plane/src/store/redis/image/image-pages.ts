// The pages of a store that nobody writes: plain reads, one after the other.
import type { PolicyDecision } from "../../../app/ports/ports.js";
import type { ConsumptionKey, CreationKey, StoredRevocation } from "../../../domain/stored.js";
import { fleetTimeRows } from "../../copy/store-image.js";
import type { ImageKind, ImagePage, ImageRows, SessionImage } from "../../copy/store-image.js";
import type { Connected } from "../connection/client.js";
import { KEYS, keyOf } from "../keys.js";
import { auditEntriesIn } from "../ports/audit.js";
import { LEX, pairsIn, strings } from "../reading/reads.js";
import { FLEET_TIME } from "../scripts.js";
import { storedSession } from "../reading/stored-session.js";

type PagesOf = {
  readonly [Kind in ImageKind]: (
    reads: Connected,
    after: string | undefined,
    limit: number,
  ) => Promise<ImagePage<Kind>>;
};

export const COUNTS: Readonly<Record<ImageKind, readonly string[]>> = {
  policies: ["HLEN", KEYS.policies],
  audit: ["XLEN", KEYS.audit],
  creationKeys: ["ZCARD", KEYS.createdAt],
  revocations: ["HLEN", KEYS.revocations],
  fleetTime: ["HEXISTS", KEYS.meta, FLEET_TIME],
  sessions: ["ZCARD", KEYS.sessions],
};

export const PAGES: PagesOf = {
  policies: (reads, after, limit) =>
    hashPage(reads, KEYS.policies, after, limit, Number, (json) => JSON.parse(json) as PolicyDecision),
  audit: auditPage,
  creationKeys: creationKeyPage,
  revocations: (reads, after, limit) =>
    hashPage(reads, KEYS.revocations, after, limit, String, (json) => JSON.parse(json) as StoredRevocation),
  fleetTime: async (reads) => ({ rows: fleetTimeRows(await fleetTimeIn(reads)), next: undefined }),
  sessions: sessionPage,
};

/** Of a hash that has few fields, in the order of what these are. */
async function hashPage<Row extends ImageRows["policies"] | ImageRows["revocations"]>(
  reads: Connected,
  key: string,
  after: string | undefined,
  limit: number,
  orderOf: (field: string) => number | string,
  rowIn: (json: string) => Row,
): Promise<{ rows: Row[]; next: string | undefined }> {
  const fields = [...strings(await reads.send(["HKEYS", key]))];
  const sorted = fields.sort((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
  const page = sorted.filter((field) => after === undefined || orderOf(field) > orderOf(after)).slice(0, limit);
  if (page.length === 0) return { rows: [], next: undefined };
  const values = strings(await reads.send(["HMGET", key, ...page]));
  return { rows: values.map(rowIn), next: page.length < limit ? undefined : page.at(-1) };
}

/** A copy that is not finished is no store yet, and has it beside. */
async function fleetTimeIn(reads: Connected): Promise<number> {
  const stored = await reads.send(["HGET", KEYS.meta, FLEET_TIME]);
  return Number(stored ?? (await reads.send(["GET", KEYS.copiedTime])) ?? 0);
}

async function auditPage(reads: Connected, after: string | undefined, limit: number): Promise<ImagePage<"audit">> {
  const start = after === undefined ? "-" : `(${after}`;
  const reply = await reads.send(["XRANGE", KEYS.audit, start, "+", "COUNT", String(limit)]);
  const rows = auditEntriesIn(reply);
  return { rows, next: rows.length < limit ? undefined : `${String(rows.at(-1)?.number)}-0` };
}

async function creationKeyPage(
  reads: Connected,
  after: string | undefined,
  limit: number,
): Promise<ImagePage<"creationKeys">> {
  const from = Number(after ?? 0);
  const keys = strings(await reads.send(["ZRANGE", KEYS.createdAt, String(from), String(from + limit - 1)]));
  if (keys.length === 0) return { rows: [], next: undefined };
  const values = strings(await reads.send(["HMGET", KEYS.created, ...keys]));
  const rows = keys.map((key, i) => ({ key, ...(JSON.parse(values[i] ?? "") as CreationKey) }));
  return { rows, next: keys.length < limit ? undefined : String(from + limit) };
}

async function sessionPage(reads: Connected, after: string | undefined, limit: number): Promise<ImagePage<"sessions">> {
  const low = after === undefined ? LEX.first : LEX.after(after);
  const range = [KEYS.sessions, low, LEX.last, "BYLEX", "LIMIT", "0", String(limit)];
  const ids = strings(await reads.send(["ZRANGE", ...range]));
  const rows = await Promise.all(ids.map((id) => sessionImage(reads, id)));
  return {
    rows: rows.filter((row) => row !== undefined),
    next: ids.length < limit ? undefined : ids.at(-1),
  };
}

async function sessionImage(reads: Connected, id: string): Promise<SessionImage | undefined> {
  const [hash, consumed] = await Promise.all([
    reads.send(["HGETALL", keyOf.session(id)]),
    reads.send(["HGETALL", keyOf.consumptions(id)]),
  ]);
  const found = storedSession(id, strings(hash));
  if (found === undefined) return undefined;
  const consumptionKeys = pairsIn(strings(consumed)).map(([key, json]) => ({
    key,
    ...(JSON.parse(json) as ConsumptionKey),
  }));
  return { ...found.record, consumptionKeys };
}
