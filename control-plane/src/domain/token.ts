// The session token: made here, checked by the filter. Its layout stands in assembly/contract.ts.
import { createHmac } from "node:crypto";
import {
  MAX_PLAN_ID,
  TAG_BYTES,
  TOKEN_BYTES,
  TOKEN_KEY_ID_AT,
  TOKEN_PLAN_ID_AT,
  TOKEN_SESSION_ID_AT,
  TOKEN_TAG_AT,
  TOKEN_VERSION,
} from "../../../assembly/contract.js";
import type { Keys } from "./keys.js";
import { parseSessionId } from "./session-id.js";

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

function tagOf(token: Buffer, keys: Keys): Buffer {
  return createHmac("sha256", keys.tokenKey).update(token.subarray(0, TOKEN_TAG_AT)).digest().subarray(0, TAG_BYTES);
}
