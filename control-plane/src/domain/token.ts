// The session token: made here, checked by the filter. Its layout stands in assembly/contract.ts.
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
import { formatSessionId, parseSessionId } from "./session-id.js";

/** What a token says about its session. */
export interface TokenClaims {
  readonly sessionId: string;
  readonly planId: number;
}

const TOKEN_TEXT = /^[A-Za-z0-9_-]*$/;

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

/** What the token says, if one of the keys made it; else undefined. `keys` have different key ids. */
export function verifyToken(text: string, keys: readonly Keys[]): TokenClaims | undefined {
  if (text.length !== TOKEN_CHARS || !TOKEN_TEXT.test(text)) return undefined;
  const token = Buffer.from(text, "base64url");
  const key = keys.find(({ keyId }) => keyId === token.readUInt8(TOKEN_KEY_ID_AT));
  if (token.readUInt8(0) !== TOKEN_VERSION || key === undefined) return undefined;
  if (!timingSafeEqual(token.subarray(TOKEN_TAG_AT), tagOf(token, key))) return undefined;
  return {
    sessionId: formatSessionId(token.subarray(TOKEN_SESSION_ID_AT, TOKEN_SESSION_ID_AT + SESSION_ID_BYTES)),
    planId: token.readUInt16BE(TOKEN_PLAN_ID_AT),
  };
}

function tagOf(token: Buffer, keys: Keys): Buffer {
  return createHmac("sha256", keys.tokenKey).update(token.subarray(0, TOKEN_TAG_AT)).digest().subarray(0, TAG_BYTES);
}
