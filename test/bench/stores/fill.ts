// Sessions straight into a store, as a copy would put them there: the same ones into each.
import { setTimeout as delay } from "node:timers/promises";

import { newSessionId, SESSION_ID_RANDOM_BYTES } from "../../../control-plane/src/domain/session-id.js";
import type { HeldRow } from "../../../control-plane/src/domain/stored.js";
import { NOTHING_READ } from "../../../control-plane/src/store/copy/digest.js";
import type { CopyMark, SessionImage } from "../../../control-plane/src/store/copy/store-image.js";
import { sessionWith } from "../control-plane/stored-sessions.js";
import type { ComparedStore } from "./stores.js";
import { randomBytes } from "node:crypto";

const PAGE = 1000;
const MARK: CopyMark = { from: "the benchmark", next: null, digest: NOTHING_READ };
const ASK_AGAIN_MS = 100;

/** Who reported each of the sessions: an Envoy each. */
export const EDGE = "gateway-1";
export const instanceOf = (number: number): string => number.toString(16).padStart(16, "0");

export const newIds = (count: number, nowMs: number): string[] =>
  Array.from({ length: count }, () => newSessionId(nowMs, randomBytes(SESSION_ID_RANDOM_BYTES)));

export interface Filling {
  readonly ids: readonly string[];
  readonly nowMs: number;
  /** How many instances hold each session, and have reported of it. */
  readonly rows: number;
}

/** Into an empty store, which is one that control planes take when it resolves. Answers how many seconds it took. */
export async function fill(store: ComparedStore, filling: Filling): Promise<number> {
  const startedMs = performance.now();
  const target = await store.target();
  await target.begin(MARK);
  for (let at = 0; at < filling.ids.length; at += PAGE) {
    await target.put("sessions", pageOf(filling, at), MARK);
  }
  await target.finish();
  await target.close();
  const seconds = (performance.now() - startedMs) / 1000;
  await compacted(store);
  return seconds;
}

function pageOf({ ids, nowMs, rows }: Filling, at: number): SessionImage[] {
  return ids.slice(at, at + PAGE).map((id, i) => ({
    session: sessionWith(id, at + i, nowMs),
    rows: Array.from({ length: rows }, (_, number) => rowOf(number, nowMs)),
    consumptionKeys: [],
  }));
}

function rowOf(number: number, nowMs: number): HeldRow {
  const figures = { rev: 1, consumed: 5, levelMicro: 999_995_000_000, atMs: nowMs, reportedAtMs: nowMs };
  return { edge: EDGE, instance: instanceOf(number), acquiredAtMs: nowMs, figures };
}

/** So that no rewriting of the server's file begins by itself in the middle of a measurement. */
async function compacted({ server }: ComparedStore): Promise<void> {
  if (server === undefined || (await server.info("aof_enabled")) !== "1") return;
  await server.command("BGREWRITEAOF");
  while ((await server.info("aof_rewrite_in_progress")) !== "0" || (await server.info("aof_rewrite_scheduled")) !== "0")
    await delay(ASK_AGAIN_MS);
}
