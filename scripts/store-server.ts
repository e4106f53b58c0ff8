// What a Redis or Valkey needs that is the store of control planes. docs/stores.md has the same, for operators.
import { createHash } from "node:crypto";

/** What a control plane may do there, as rules of an ACL: its own keys, its own channel, and the commands that it sends. */
export const STORE_USER_RULES =
  "~{sluice}:* &{sluice}:wake +@hash +@sortedset +@set +@list +@stream +get +set +del +unlink +exists " +
  "+eval +evalsha +publish +subscribe +info +time +wait +config|get +acl|dryrun";

/** What it needs beside that where the server is of a cluster, and in a database other than 0. */
export const CLUSTER_RULES = "+cluster|keyslot +cluster|slots";
export const OTHER_DATABASE_RULES = "+select";

/** Nothing that was acknowledged may be lost in a crash, and nothing dropped to make room. */
export const STORE_SERVER_SETTINGS = [
  "appendonly yes",
  "appendfsync always",
  'save ""',
  "maxmemory 512mb",
  "maxmemory-policy noeviction",
] as const;

/**
 * Nobody logs in as this user, and it may do all: Redis 7 and Valkey 8 load the append-only file by its rules, and lose what it may
 * not write.
 */
export const DEFAULT_USER = "user default off ~* &* +@all";

/** The text of the server's file, which holds no password: `sluice` may use the store, `health` only whether it answers. */
export function storeServerConfiguration(folder: string, password: string): string {
  const hash = createHash("sha256").update(password).digest("hex");
  const users = [DEFAULT_USER, "user health on nopass +ping", `user sluice on #${hash} ${STORE_USER_RULES}`];
  return [`dir ${folder}`, ...STORE_SERVER_SETTINGS, ...users, ""].join("\n");
}
