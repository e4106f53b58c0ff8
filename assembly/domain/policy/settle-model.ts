// How a route learns what a request really cost, as the programs use it.
import { Choice } from "./choice";

/** A header of the response. */
export const SETTLE_HEADER: u8 = 0;
/** A trailer of the response. */
export const SETTLE_TRAILER: u8 = 1;
/** Dynamic metadata that another filter has written. */
export const SETTLE_METADATA: u8 = 2;
/** A place in a JSON response, or in the events of a text/event-stream. */
export const SETTLE_JSON: u8 = 3;
/** Their fields in the document, in the order of the codes. */
export const SETTLE_SOURCES: StaticArray<string> = ["header", "trailer", "metadata", "json"];

/** What was reserved was the cost. */
export const ON_MISSING_KEEP: u8 = 0;
/** What was reserved goes back. */
export const ON_MISSING_REFUND: u8 = 1;
export const ON_MISSING: Choice = new Choice(["keep", "refund"]);

export class Settle {
  /** The further limit that is settled; empty for the plan's own bucket. */
  limit: string = "";
  /** Of the further limit: the index of its name in `Policy.limitNames`. */
  nameId: u32 = 0;
  /** SETTLE_…. */
  source: u8 = SETTLE_HEADER;
  /** Of the header or trailer, in lower case; of metadata its namespace; of JSON the pointer (RFC 6901). */
  at: string = "";
  /** Of metadata. */
  key: string = "";
  /** Tokens for one of what the response says, × 10^6. */
  timesMicro: u64 = 1000000;
  onMissing: u8 = ON_MISSING_KEEP;
}
