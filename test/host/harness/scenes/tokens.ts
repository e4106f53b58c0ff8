// Makes session tokens as the control plane does, independently of its code, from the layout in contract.ts.
import { createHmac } from "node:crypto";
import {
  LABEL_EDGE_CREDENTIAL,
  LABEL_KEY_ID,
  LABEL_TOKEN_KEY,
  TAG_BYTES,
  TOKEN_BYTES,
  TOKEN_KEY_ID_AT,
  TOKEN_PLAN_ID_AT,
  TOKEN_SESSION_ID_AT,
  TOKEN_TAG_AT,
  TOKEN_VERSION,
} from "../../../../assembly/contract.js";
import type { Random } from "../host/random.js";

export interface Session {
  /** What the client sends. */
  readonly token: string;
  /** The public session id, in the form of RFC 9562. */
  readonly id: string;
}

export class TokenMint {
  readonly #secret: Buffer;
  readonly #random: Random;

  /** @param secretHex the installation's secret, in hex */
  constructor(secretHex: string, random: Random) {
    this.#secret = Buffer.from(secretHex, "hex");
    this.#random = random;
  }

  get edgeCredential(): string {
    return this.#derive(LABEL_EDGE_CREDENTIAL).toString("base64url");
  }

  /** A token of a new session that began at `issuedAtMs`, or of the session whose id is given. */
  mint(issuedAtMs: number, planId = 0, id = this.#sessionId(issuedAtMs)): Session {
    const token = Buffer.alloc(TOKEN_BYTES);
    token[0] = TOKEN_VERSION;
    token[TOKEN_KEY_ID_AT] = this.#derive(LABEL_KEY_ID)[0] ?? 0;
    Buffer.from(id.replaceAll("-", ""), "hex").copy(token, TOKEN_SESSION_ID_AT);
    token.writeUInt16BE(planId, TOKEN_PLAN_ID_AT);
    const key = this.#derive(LABEL_TOKEN_KEY);
    const tag = createHmac("sha256", key).update(token.subarray(0, TOKEN_TAG_AT)).digest();
    tag.copy(token, TOKEN_TAG_AT, 0, TAG_BYTES);
    return { token: token.toString("base64url"), id };
  }

  #derive(label: string): Buffer {
    return createHmac("sha256", this.#secret).update(label).digest();
  }

  /** A UUIDv7 (RFC 9562): 48 bits of milliseconds, then version and variant over random bits. */
  #sessionId(atMs: number): string {
    const bytes = Buffer.from(this.#random.bytes(16));
    bytes.writeUIntBE(atMs, 0, 6);
    bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
    bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
    const hex = bytes.toString("hex");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }
}

/** The same token with one bit turned over: 288 forgeries of each token. */
export function withBitFlipped(token: string, bit: number): string {
  const bytes = Buffer.from(token, "base64url");
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  return bytes.toString("base64url");
}
