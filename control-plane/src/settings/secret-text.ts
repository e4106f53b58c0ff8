// What stands in a file of a secret, or in a token: how much at most, and which characters. Imports nothing.

/** Far more than any secret or token; a file that is longer is another one. */
export const MAX_SECRET_FILE_BYTES = 65_536;

const HEADER_SAFE = /^[\x21-\x7e]+$/;
/** Visible ASCII: what a header carries as it is. */
export const isHeaderSafe = (token: string): boolean => HEADER_SAFE.test(token);
