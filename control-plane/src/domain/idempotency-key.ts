// Idempotency-Keys as they are stored: each belongs to whoever used it, so that nobody meets another's.

/** No part of a key, nor of an owner's name. */
const BETWEEN = " ";

/** All operators are one owner: each may do everything. No issuer has this name. */
export const OPERATORS = "operator";

/** @param owner a fixed name of the credential, which outlives its token */
export const ownedKey = (owner: string, key: string): string => `${owner}${BETWEEN}${key}`;

/**
 * As it stood in stores of before keys had owners; undefined for an issuer, which would meet what others did under it: a
 * creation that is repeated gives out a session's token.
 */
export function unownedKey(owned: string): string | undefined {
  const operators = `${OPERATORS}${BETWEEN}`;
  return owned.startsWith(operators) ? owned.slice(operators.length) : undefined;
}
