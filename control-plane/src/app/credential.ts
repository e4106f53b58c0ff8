// Whether a caller shows a bearer credential that is accepted, and whose it is. Both faces ask here.
import { createHash, timingSafeEqual } from "node:crypto";

/** A secret, and what is known of whoever shows it. */
export interface Credential<Holder> {
  readonly secret: string;
  readonly holder: Holder;
}

const BEARER = /^bearer +([\x21-\x7e]+)$/i;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * A check of an `authorization` header against every accepted credential (several during a rotation). Digests are
 * compared, all of them and without an early exit, so the time taken tells nothing about length or content.
 * It answers the holder, undefined where none is accepted.
 */
export function bearerCheck<Holder>(
  accepted: readonly Credential<Holder>[],
): (header: string | undefined) => Holder | undefined {
  const known = accepted.map(({ secret, holder }) => ({ digest: digest(secret), holder }));
  return (header) => {
    const shown = digest(BEARER.exec(header ?? "")?.[1] ?? "");
    return known.filter((one) => timingSafeEqual(shown, one.digest)).at(0)?.holder;
  };
}

/** The edges' credentials, in the form that the check takes. */
export const ofEdges = (secrets: readonly string[]): Credential<"edge">[] =>
  secrets.map((secret) => ({ secret, holder: "edge" }));
