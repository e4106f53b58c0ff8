// What the HTTP server listens with: its limits, and TLS where it is set.
import type { Server as HttpServer } from "node:http";
import { Server as TlsServer } from "node:tls";

import type { TlsIdentity } from "../tls/tls.js";
import { CountedResponse } from "./pipelining.js";

/** A whole request must have arrived by then, and a TLS handshake be done, so that slow clients cannot collect connections. */
export const REQUEST_TIMEOUT_MS = 10_000;
const TIMEOUTS_CHECKED_EVERY_MS = 2000;
export const MAX_HEADER_BYTES = 16 * 1024;

const LIMITS = {
  headersTimeout: REQUEST_TIMEOUT_MS,
  maxHeaderSize: MAX_HEADER_BYTES,
  connectionsCheckingInterval: TIMEOUTS_CHECKED_EVERY_MS,
  // A hook denies it, in the one form of errors: Node's own answer is empty.
  requireHostHeader: false,
  ServerResponse: CountedResponse,
};

/** Options for Fastify. With a client authority, a connection without a certificate of it ends in the handshake. */
export function transportOptions(tls: TlsIdentity | null): { http?: object; https?: object } {
  if (tls === null) return { http: LIMITS };
  const { cert, key, clientCa } = tls;
  const mutual = clientCa === null ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  return { https: { ...LIMITS, handshakeTimeout: REQUEST_TIMEOUT_MS, cert, key, ...mutual } };
}

/**
 * Puts another identity in force for connections from now on. Whether a certificate is asked for stays as it was when
 * the server was built.
 */
export function renewalOf(server: HttpServer): (identity: TlsIdentity) => void {
  return ({ cert, key, clientCa }) => {
    if (!(server instanceof TlsServer)) return;
    server.setSecureContext({ cert, key, ...(clientCa === null ? {} : { ca: clientCa }) });
  };
}
