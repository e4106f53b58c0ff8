// Whether a caller shows a bearer credential that is accepted, and whose it is. Admin and edge routes ask here.
import { timingSafeEqual } from "node:crypto";

/** A secret, and what is known of whoever shows it. */
export interface Credential<Holder> {
  readonly secret: string;
  readonly holder: Holder;
}

const BEARER = /^bearer +([\x21-\x7e]+)$/i;

/** Room for the length and for any credential that an installation may have. */
const COMPARED_BYTES = 512;
const LENGTH_BYTES = 4;

/** The length, then the text: of one size for all texts. What does not fit has a length that no credential has. */
function spread(text: string, over: Buffer): Buffer {
  over.fill(0).writeUInt32LE(text.length);
  over.write(text, LENGTH_BYTES, "latin1");
  return over;
}

/**
 * A check of an `authorization` header against every accepted credential (several during a rotation). All of them are
 * compared, over a fixed number of bytes and without an early exit, so the time taken says nothing of their length or
 * content. It answers the holder, undefined where none is accepted.
 * @throws RangeError for a credential that is longer than is compared
 */
export function bearerCheck<Holder>(
  accepted: readonly Credential<Holder>[],
): (header: string | undefined) => Holder | undefined {
  const known = accepted.map(({ secret, holder }) => {
    if (secret.length > COMPARED_BYTES - LENGTH_BYTES) throw new RangeError("a credential is too long to be compared");
    return { bytes: spread(secret, Buffer.alloc(COMPARED_BYTES)), holder };
  });
  const shown = Buffer.alloc(COMPARED_BYTES);
  return (header) => {
    spread(bearerOf(header) ?? "", shown);
    return known.filter((one) => timingSafeEqual(shown, one.bytes)).at(0)?.holder;
  };
}

/** What the header shows; undefined where it is of another form. */
export const bearerOf = (header: string | undefined): string | undefined => BEARER.exec(header ?? "")?.[1];

/** The edges' credentials, in the form that the check takes. */
export const ofEdges = (secrets: readonly string[]): Credential<"edge">[] =>
  secrets.map((secret) => ({ secret, holder: "edge" }));
