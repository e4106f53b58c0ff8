// Bytes that a session takes: of the server's memory, of LMDB's file, and of the append-only file; and which keys take them.
import type { ServerOptions } from "../../../control-plane/test/support/servers/server-settings.js";
import type { StoreServer } from "../../../control-plane/test/support/servers/store-server.js";
import { keyOf, KEYS } from "../../../control-plane/src/store/redis/keys.js";
import { userOfLimit } from "../../../control-plane/src/store/user-of-limit.js";
import { creationOf } from "../control-plane/stored-sessions.js";
import type { Section } from "../stand/section.js";
import { appendOnly } from "./append-only.js";
import type { Bench } from "./bench.js";
import { fill, newIds } from "./fill.js";
import { lmdbStore, sharedStore } from "./stores.js";
import type { ComparedStore, SharedName } from "./stores.js";

/** How many instances hold a session. */
const ROWS = [0, 1, 3] as const;
/** An operator's setting: a session's hash is one piece of memory as long as none of its values is longer. */
const COMPACT: ServerOptions = { settings: { "hash-max-listpack-value": "1024" } };

interface Variant {
  readonly name: "LMDB" | SharedName;
  readonly shown: string;
  readonly figure: string;
  readonly options?: ServerOptions;
}

const VARIANTS: readonly Variant[] = [
  { name: "LMDB", shown: "LMDB, on disk", figure: "lmdb" },
  { name: "Redis 7", shown: "Redis 7, in memory", figure: "redis" },
  { name: "Redis 7", shown: "  with hash-max-listpack-value 1024", figure: "redisCompact", options: COMPACT },
  { name: "Valkey 9", shown: "Valkey 9, in memory", figure: "valkey" },
  { name: "Valkey 9", shown: "  with hash-max-listpack-value 1024", figure: "valkeyCompact", options: COMPACT },
];

/** Sessions whose keys are looked at. */
const LOOKED_AT = 200;

export async function memory(bench: Bench): Promise<Section[]> {
  const sessions = bench.quick ? 20_000 : 200_000;
  const nowMs = Date.now();
  const ids = newIds(sessions, nowMs);
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  const keys = new Map<string, number>();
  for (const { name, shown, figure, options = {} } of VARIANTS) {
    const cells: string[] = [];
    for (const count of ROWS) {
      bench.say(`${sessions} sessions with ${count} rows go into ${name}`);
      const label = `memory-${count}`;
      const store = name === "LMDB" ? lmdbStore(bench, label) : await sharedStore(bench, name, options);
      const before = await bytesOf(store);
      await fill(store, { ids, nowMs, rows: count });
      const bytes = ((await bytesOf(store)) - before) / sessions;
      cells.push(bytes.toFixed(0));
      figures[`memory.${figure}.${count}Rows.bytes`] = bytes;
      if (figure === "redis" && count === 1 && store.server !== undefined) await lookAt(store.server, ids, keys);
      await store.server?.remove();
    }
    rows.push([shown, ...cells]);
  }
  return [
    {
      title: "Bytes a session",
      method: `${sessions} sessions, each held by so many instances that have reported of it. INFO's used_memory, and the size of LMDB's file.`,
      columns: ["", ...ROWS.map((count) => `${count} rows`)],
      ...{ rows, figures },
    },
    {
      title: "Bytes a session by key, Redis 7, one row",
      method: "MEMORY USAGE of all elements; of keys of users and sessions that of some.",
      columns: ["", "bytes"],
      rows: [...keys].map(([key, bytes]) => [key, bytes.toFixed(0)]),
    },
    await appendOnly(bench, sessions),
  ];
}

const bytesOf = async (store: ComparedStore): Promise<number> =>
  store.server === undefined ? store.bytesOnDisk() : Number(await store.server.info("used_memory"));

async function lookAt(server: StoreServer, ids: readonly string[], keys: Map<string, number>): Promise<void> {
  const bytes = async (key: string): Promise<number> =>
    Number(await server.command("MEMORY", "USAGE", key, "SAMPLES", "0"));
  const members = async (key: string): Promise<number> => Number(await server.command("ZCARD", key));
  for (const [name, key] of [
    ["every session", KEYS.sessions],
    ["organisation", keyOf.org("org-1")],
    ["plan", keyOf.plan(0)],
    ["activity", keyOf.active(0)],
  ] as const) {
    keys.set(name, (await bytes(key)) / ids.length);
  }
  let [session, user, peers, of] = [0, 0, 0, 0];
  for (let i = 0; i < LOOKED_AT; i++) {
    const { userId } = creationOf(i * 10) as { userId: string };
    session += await bytes(keyOf.session(ids[i] ?? ""));
    user += await bytes(keyOf.user(userId));
    peers += await bytes(keyOf.peers(0, userOfLimit(userId, null)));
    of += await members(keyOf.user(userId));
  }
  keys.set("the session's hash", session / LOOKED_AT);
  keys.set("user", user / of);
  keys.set("user's limit", peers / of);
}
