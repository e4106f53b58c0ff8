// Whether a request shows a credential that is accepted.
import { createHash, timingSafeEqual } from "node:crypto";

const BEARER = /^bearer +([\x21-\x7e]+)$/i;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * A check of an `authorization` header against every accepted credential (several during a rotation). Digests are
 * compared, all of them and without an early exit, so the time taken tells nothing about length or content.
 */
export function bearerCheck(accepted: readonly string[]): (header: string | undefined) => boolean {
  const digests = accepted.map(digest);
  return (header) => {
    const shown = digest(BEARER.exec(header ?? "")?.[1] ?? "");
    return digests.map((one) => timingSafeEqual(shown, one)).includes(true);
  };
}
