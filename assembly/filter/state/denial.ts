// One answer to a client that is denied, made at configure. What a client of gRPC reads of it is written when one asks:
// the garbage collector visits each object that is kept, after every answer of the control plane.
import { utf8 } from "../../memory/bytes";
import { addFixedPair, pairsBlock, startPairs } from "../../memory/header-pairs";

export const CONTENT_TYPE = utf8("content-type");

/** The headers of an answer that are the same for everybody: its content type, and one more where it has one. */
export class DenialHeaders {
  /** For a client that reads plain HTTP, as the host takes them. */
  pairs: ArrayBuffer;

  /** With none beside the content type. Its value is not read. */
  static plain(contentType: ArrayBuffer): DenialHeaders {
    return new DenialHeaders(contentType, null, contentType);
  }

  constructor(
    contentType: ArrayBuffer,
    public name: ArrayBuffer | null,
    public value: ArrayBuffer,
  ) {
    startPairs();
    addFixedPair(CONTENT_TYPE, contentType);
    if (name != null) addFixedPair(name, value);
    this.pairs = pairsBlock();
  }
}

export class Denial {
  details: ArrayBuffer;
  /** For a client that reads plain HTTP. */
  body: ArrayBuffer;
  /** Of the body: what closes its objects, before which one more member may stand. */
  closingBytes: u32;

  /** @param message a literal, of characters that stand in `grpc-message` as they are (web-trailers.ts) */
  constructor(
    public status: u32,
    public grpcStatus: u32,
    details: string,
    code: string,
    public message: string,
    problem: bool,
    public headers: DenialHeaders,
  ) {
    this.details = utf8(details);
    this.closingBytes = problem ? 1 : 2;
    this.body = utf8(
      problem
        ? `{"type":"about:blank","title":"${titleOf(status)}","status":${status},"detail":"${message}","code":"${code}"}`
        : `{"error":{"code":"${code}","message":"${message}"}}`,
    );
  }
}

function titleOf(status: u32): string {
  if (status == 401) return "Unauthorized";
  return status == 429 ? "Too Many Requests" : "Service Unavailable";
}
