// Rows as they are copied: without their places in the invalidation log, which stays behind.
import type { StoredPolicy } from "../../app/ports/ports.js";
import type { StoredRevocation } from "../../domain/stored.js";
import type { ImageRows } from "./store-image.js";

export const keptPolicy = ({ position: _position, ...kept }: StoredPolicy): ImageRows["policies"] => kept;

/** An operation without a cursor is one of which no edge is known to have heard (domain/stored.ts). */
export const keptRevocation = ({ log: _log, cursor: _cursor, ...kept }: StoredRevocation): ImageRows["revocations"] =>
  kept;
