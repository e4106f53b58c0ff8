// Idempotency-Keys as they are stored: each belongs to whoever used it, so that nobody meets another's.

/** No part of a key, nor of an owner's name. */
const BETWEEN = " ";

/** @param owner a fixed name of the credential, which outlives its token */
export const ownedKey = (owner: string, key: string): string => `${owner}${BETWEEN}${key}`;

/** As it stood in stores of before keys had owners. */
export const unownedKey = (owned: string): string => owned.slice(owned.indexOf(BETWEEN) + 1);
