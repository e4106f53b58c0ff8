// What is said of an admin token in place of the token.
import { createHash } from "node:crypto";

/** In lower-case hex. */
export const sha256Of = (token: string | Uint8Array): string => createHash("sha256").update(token).digest("hex");

/**
 * The first 8 hex digits of the token's SHA-256. An operator who has the token can make them; who has them has 32 bits of a
 * hash of a random token of at least 96, and cannot make the token.
 */
export const digitsOf = (tokenSha256: string): string => tokenSha256.slice(0, 8);
