// The session token: made here, checked by the filter; read here for whoever asks what a token is. Its layout stands in assembly/contract.ts.
import { createHmac, timingSafeEqual } from "node:crypto";
import {
  MAX_PLAN_ID,
  SESSION_ID_BYTES,
  TAG_BYTES,
  TOKEN_BYTES,
  TOKEN_CHARS,
  TOKEN_KEY_ID_AT,
  TOKEN_PLAN_ID_AT,
  TOKEN_SESSION_ID_AT,
  TOKEN_TAG_AT,
  TOKEN_VERSION,
} from "../../../assembly/contract.js";
import type { Keys } from "./keys.js";
import { formatSessionId, isOurs, parseSessionId } from "./session-id.js";

/** What a token says about its session. */
export interface TokenClaims {
  readonly sessionId: string;
  readonly planId: number;
}

/** The token of a session, TOKEN_CHARS characters: a secret. RangeError where id or plan id is none. */
export function makeToken(claims: TokenClaims, keys: Keys): string {
  const sessionId = parseSessionId(claims.sessionId);
  if (sessionId === undefined) throw new RangeError("the session id is not a UUID");
  if (!Number.isInteger(claims.planId) || claims.planId < 0 || claims.planId > MAX_PLAN_ID) {
    throw new RangeError(`the plan id is not within 0..${MAX_PLAN_ID}`);
  }
  const token = Buffer.alloc(TOKEN_BYTES);
  token.writeUInt8(TOKEN_VERSION, 0);
  token.writeUInt8(keys.keyId, TOKEN_KEY_ID_AT);
  token.set(sessionId, TOKEN_SESSION_ID_AT);
  token.writeUInt16BE(claims.planId, TOKEN_PLAN_ID_AT);
  token.set(tagOf(token, keys), TOKEN_TAG_AT);
  return token.toString("base64url");
}

/** What stands in a token, genuine or not. */
export interface ReadToken extends TokenClaims {
  readonly keyId: number;
  /** Whether these keys made it. */
  readonly isMadeWith: (keys: Keys) => boolean;
}

export type TokenReading = { readonly token: ReadToken } | { readonly violation: string };

/** A violation says what is wrong and where, and repeats no more than one character. */
export function readToken(text: string): TokenReading {
  const wrong = Array.from(text).findIndex((char) => !/^[A-Za-z0-9_-]$/.test(char));
  if (wrong !== -1) {
    return { violation: `character ${wrong + 1} of ${text.length} is none of base64url: A-Z, a-z, 0-9, - and _` };
  }
  if (text.length !== TOKEN_CHARS) return { violation: `expected ${TOKEN_CHARS} characters, got ${text.length}` };
  const bytes = Buffer.from(text, "base64url");
  const version = bytes.readUInt8(0);
  if (version !== TOKEN_VERSION) {
    return { violation: `characters 1 and 2: expected version ${TOKEN_VERSION}, got ${version}` };
  }
  const sessionId = formatSessionId(bytes.subarray(TOKEN_SESSION_ID_AT, TOKEN_SESSION_ID_AT + SESSION_ID_BYTES));
  if (!isOurs(sessionId)) return { violation: "characters 3 to 24: the session id is no UUIDv7" };
  const isMadeWith = (keys: Keys): boolean =>
    keys.keyId === bytes.readUInt8(TOKEN_KEY_ID_AT) &&
    timingSafeEqual(bytes.subarray(TOKEN_TAG_AT), tagOf(bytes, keys));
  const planId = bytes.readUInt16BE(TOKEN_PLAN_ID_AT);
  return { token: { sessionId, planId, keyId: bytes.readUInt8(TOKEN_KEY_ID_AT), isMadeWith } };
}

function tagOf(token: Buffer, keys: Keys): Buffer {
  return createHmac("sha256", keys.tokenKey).update(token.subarray(0, TOKEN_TAG_AT)).digest().subarray(0, TAG_BYTES);
}
