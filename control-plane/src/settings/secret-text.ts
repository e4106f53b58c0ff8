// What stands in a file of a secret, or in a token: how much at most, which characters, what it looks like. Imports nothing.

/** Far more than any secret or token; a file that is longer is another one. */
export const MAX_SECRET_FILE_BYTES = 65_536;

const HEADER_SAFE = /^[\x21-\x7e]+$/;
/** Visible ASCII: what a header carries as it is. */
export const isHeaderSafe = (token: string): boolean => HEADER_SAFE.test(token);

/** As tokens and secrets are written in base64 and hex: no ending, and longer than names of files are. */
const LIKE_SECRET = /^(?:[\w-]{32,}={0,2}|[A-Za-z0-9+/]{43}=?)$/;
/** Whether a file's name may be a secret that somebody put in its place. */
export const isLikeSecret = (path: string): boolean => LIKE_SECRET.test(path);
