// The certificate that the xDS server shows, which can be renewed while it serves.
import { ServerCredentials } from "@grpc/grpc-js";
import type { SecureContextOptions } from "node:tls";

import type { TlsIdentity } from "../tls.js";

/** With a client authority, a connection without a certificate of it ends in the handshake. */
export class RenewableCredentials extends ServerCredentials {
  constructor(identity: TlsIdentity) {
    super({ requestCert: identity.clientCa !== null }, contextOf(identity));
  }

  /** For connections from now on. */
  renew(identity: TlsIdentity): void {
    this.updateSecureContextOptions(contextOf(identity));
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

function contextOf({ cert, key, clientCa }: TlsIdentity): SecureContextOptions {
  return { cert, key, ...(clientCa === null ? {} : { ca: clientCa }) };
}
