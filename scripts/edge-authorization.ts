// The header value that an Envoy shows to the control plane, derived from the installation's secret.
import { deriveKeys, readSecret } from "../control-plane/src/domain/keys.js";
import { Failure } from "./failure.js";

/** @throws Failure when the text cannot be a secret; it is not repeated in the message. */
export function edgeAuthorization(secretText: string): string {
  const reading = readSecret(secretText);
  if (!reading.ok) throw new Failure(`SLUICE_SECRET ${reading.fault}.`);
  return `Bearer ${deriveKeys(reading.secret).edgeCredential}`;
}
