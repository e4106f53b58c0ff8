// The steps of a rotation of the secret: a second secret, and a process that starts anew with both.
import { randomBytes } from "node:crypto";
import { deriveKeys } from "../../../control-plane/src/domain/keys.js";
import type { Part } from "./part.js";

/** One that can stand beside the given one: two secrets of an installation differ in key id. */
export function anotherSecret(secret: string): string {
  const keyId = (hex: string): number => deriveKeys(Buffer.from(hex, "hex")).keyId;
  for (;;) {
    const candidate = randomBytes(32).toString("hex");
    if (keyId(candidate) !== keyId(secret)) return candidate;
  }
}

/** Stops the part and starts it with `secret` as its own and `also` as the one that it accepts too. */
export async function restart(part: Part, secret: string, also: string): Promise<void> {
  await part.stop();
  await part.start({ SLUICE_SECRET: secret, SLUICE_SECRET_ALSO: also });
}
