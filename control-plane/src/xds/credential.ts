// Whether a stream shows the edge credential.
import { createHash, timingSafeEqual } from "node:crypto";
import type { Metadata } from "@grpc/grpc-js";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * A check for `authorization: Bearer <credential>` against each accepted credential (two during a rotation). Digests
 * are compared, all of them and without an early exit, so the time taken tells nothing about length or content.
 */
export function edgeCredentialCheck(credentials: readonly string[]): (metadata: Metadata) => boolean {
  const accepted = credentials.map((credential) => digest(`Bearer ${credential}`));
  return (metadata) => {
    const shown = digest(String(metadata.get("authorization")[0] ?? ""));
    return accepted.map((credential) => timingSafeEqual(shown, credential)).includes(true);
  };
}
