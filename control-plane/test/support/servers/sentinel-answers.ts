// What one of the sentinels of the tests says: who is the primary, and whom else it knows.
import { isDeepStrictEqual } from "node:util";

import type { StoreServer } from "./store-server.js";

/** Of what a sentinel says of a server. */
type Row = Readonly<Record<string, string>>;

/** The port, or "nobody". */
export async function primaryPortOf(sentinel: StoreServer, master: string): Promise<string> {
  const said = await sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master);
  const port = Array.isArray(said) ? said[1] : undefined;
  return typeof port === "string" ? port : "nobody";
}

/**
 * Rejects with what it does not know yet.
 * @param expected how many of each there are; its own self is one of the sentinels
 */
export async function knowsAll(
  sentinel: StoreServer,
  master: string,
  expected: { readonly replicas: number; readonly sentinels: number },
): Promise<void> {
  const primary = (await sentinel.command("SENTINEL", "MASTER", master)) as Row;
  const replicas = (await sentinel.command("SENTINEL", "REPLICAS", master)) as readonly Row[];
  const known = {
    primary: primary.flags,
    sentinels: Number(primary["num-other-sentinels"]) + 1,
    replicas: replicas.map((row) => [row.flags, row["master-link-status"]].join(" ")),
  };
  const wanted = {
    primary: "master",
    sentinels: expected.sentinels,
    replicas: Array<string>(expected.replicas).fill("slave ok"),
  };
  if (!isDeepStrictEqual(known, wanted)) throw new Error(`a sentinel knows ${JSON.stringify(known)}`);
}
