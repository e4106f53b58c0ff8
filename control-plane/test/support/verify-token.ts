// What a session token says, to whoever has the keys: in the product only the filter asks that.
import { createHmac } from "node:crypto";

import {
  SESSION_ID_BYTES,
  TAG_BYTES,
  TOKEN_CHARS,
  TOKEN_KEY_ID_AT,
  TOKEN_PLAN_ID_AT,
  TOKEN_SESSION_ID_AT,
  TOKEN_TAG_AT,
  TOKEN_VERSION,
} from "../../../assembly/contract.js";
import type { Keys } from "../../src/domain/keys.js";
import { formatSessionId } from "../../src/domain/session-id.js";
import type { TokenClaims } from "../../src/domain/token.js";

const TOKEN_TEXT = /^[A-Za-z0-9_-]*$/;

/** What the token says, if one of the keys made it; else undefined. `keys` have different key ids. */
export function verifyToken(text: string, keys: readonly Keys[]): TokenClaims | undefined {
  if (text.length !== TOKEN_CHARS || !TOKEN_TEXT.test(text)) return undefined;
  const token = Buffer.from(text, "base64url");
  const key = keys.find(({ keyId }) => keyId === token.readUInt8(TOKEN_KEY_ID_AT));
  if (token.readUInt8(0) !== TOKEN_VERSION || key === undefined) return undefined;
  const tag = createHmac("sha256", key.tokenKey)
    .update(token.subarray(0, TOKEN_TAG_AT))
    .digest()
    .subarray(0, TAG_BYTES);
  if (!token.subarray(TOKEN_TAG_AT).equals(tag)) return undefined;
  return {
    sessionId: formatSessionId(token.subarray(TOKEN_SESSION_ID_AT, TOKEN_SESSION_ID_AT + SESSION_ID_BYTES)),
    planId: token.readUInt16BE(TOKEN_PLAN_ID_AT),
  };
}
