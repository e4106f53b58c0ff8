// Why there was no answer, in plain words: what node and OpenSSL say of TLS is for who writes programs.

export interface Reason {
  readonly message: string;
  /** What to do about it, where that is clear. */
  readonly hint?: string;
}

const CLIENT_CERTIFICATE = "Name yours with SLUICE_CLIENT_CERT_FILE and SLUICE_CLIENT_KEY_FILE";
/** `…:error:0A00010B:SSL routines:FUNCTION:REASON:FILE:LINE:…` */
const OF_OPENSSL = /error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)/;

/** @param isTls whether TLS was spoken; what is not known stays as it was said */
export function plainReason(said: string, code: string, isTls: boolean): Reason {
  const maybeTls = isTls ? "" : "; perhaps it speaks https";
  if (said === "socket hang up") return { message: `it closed the connection without an answer${maybeTls}` };
  if (code.startsWith("HPE_")) return { message: `its answer is not HTTP${maybeTls}` };
  const reason = OF_OPENSSL.exec(said)?.[1];
  if (reason === undefined) return { message: said };
  if (/wrong version number|packet length too long/.test(reason)) {
    return { message: "it does not speak TLS", hint: "Try http:// in SLUICE_URL" };
  }
  if (/certificate required/.test(reason)) {
    return { message: "it demands a client certificate", hint: CLIENT_CERTIFICATE };
  }
  // What TLS 1.2 has for it, and for much else.
  if (/alert handshake failure/.test(reason)) {
    return { message: "it broke TLS off; perhaps it demands a client certificate", hint: CLIENT_CERTIFICATE };
  }
  return { message: `TLS failed: ${reason}` };
}
