// The keys that a commit looks at or writes to: a cluster's node that does not have all of them is to turn it away before it
// has written anything.
import { KEYS, keyOf } from "../keys.js";

/** Of a session's id, which a member of `consumed` begins with. */
const ID_CHARS = 36;

/** Each once, without `meta`, which is every script's first. */
export function touchedKeys(
  checks: readonly (readonly [kind: string, key: string, ...others: string[]])[],
  operations: readonly (readonly string[])[],
): string[] {
  const keys = new Set([...checks.map(([, key]) => key), ...operations.flatMap(keysOf)]);
  keys.delete(KEYS.meta);
  return [...keys];
}

function keysOf([command = "", ...args]: readonly string[]): readonly string[] {
  switch (command) {
    case "LOG":
      return [KEYS.log];
    case "AUDIT":
      return [KEYS.audit];
    case "DUE":
      return [KEYS.createdAt, KEYS.created];
    case "FORGET":
      return [KEYS.consumed, keyOf.consumptions((args[0] ?? "").slice(0, ID_CHARS))];
    case "REVOKE":
      return [KEYS.revocations, args[1] ?? ""];
    case "UNLINK":
      return args;
    default:
      // Any other command of the server that is sent has one key, and first.
      return args.slice(0, 1);
  }
}
