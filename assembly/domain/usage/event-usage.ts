// Reads a text/event-stream that comes in pieces (WHATWG HTML, "Server-sent events"), and follows a JSON Pointer through
// the data of each event: the last event that has the value counts. Nothing is kept but EVENT_USAGE_BYTES.
import { JSON_USAGE_BYTES, JsonUsage } from "./json-usage";
import { USAGE_ABSENT, USAGE_TOO_LONG } from "./outcome";

const LF: u8 = 0x0a;
const CR: u8 = 0x0d;
const SPACE: u8 = 0x20;
const COLON: u8 = 0x3a;

// Where the next byte stands. The first three are bytes of a byte order mark before the first line.
const MARK: u8 = 0;
const MARK_SECOND: u8 = 1;
const MARK_THIRD: u8 = 2;
const LINE_START: u8 = 3;
const IN_FIELD: u8 = 4;
/** Behind the colon of `data`: one space more is none of the data. */
const DATA_START: u8 = 5;
const IN_DATA: u8 = 6;
/** A comment, or a field that is not looked at. */
const IN_OTHER: u8 = 7;

/** "data" */
const DATA: usize = memory.data<u8>([100, 97, 116, 97]);
const DATA_BYTES: u8 = 4;
/** EF BB BF */
const BYTE_ORDER_MARK: usize = memory.data<u8>([0xef, 0xbb, 0xbf]);
const NEW_LINE: usize = memory.data<u8>([0x0a]);
const single: usize = memory.data(1);

/** A view of EVENT_USAGE_BYTES of static memory; the state of an event's data stands behind the fields. */
@unmanaged
export class EventUsage {
  /** Of USAGE_FOUND: the value in millionths. */
  micro: u64;
  /** USAGE_…, of the events that have ended. */
  outcome: u8;
  private place: u8;
  /** Bytes of `data` that the field's name has matched. */
  private matched: u8;
  /** The last line ended with a CR: an LF now belongs to it. */
  private isAfterCr: bool;
  /** The event has a line of data. */
  private hasData: bool;

  /** Before a stream. */
  start(): void {
    memory.fill(changetype<usize>(this), 0, EVENT_USAGE_BYTES);
  }

  /** Takes the next bytes. @param pointer compiled (pointer.ts), the same for the whole stream */
  take(pointer: usize, bytes: usize, length: u32): void {
    const end = bytes + length;
    let at = bytes;
    while (at < end) {
      if (this.place == IN_DATA || this.place == IN_OTHER) {
        const stop = endOfLine(at, end);
        if (this.place == IN_DATA) this.data.take(pointer, at, <u32>(stop - at));
        at = stop;
        if (at == end) return;
      }
      this.takeByte(pointer, load<u8>(at++));
    }
  }

  private takeByte(pointer: usize, byte: u8): void {
    const isSecondOfLineEnd = byte == LF && this.isAfterCr;
    this.isAfterCr = byte == CR;
    if (isSecondOfLineEnd) return;
    if (byte == CR || byte == LF) {
      this.endLine(pointer);
      return;
    }
    switch (this.place) {
      case MARK:
      case MARK_SECOND:
      case MARK_THIRD: {
        this.takeMark(pointer, byte);
        return;
      }
      case LINE_START:
      case IN_FIELD: {
        this.takeField(pointer, byte);
        return;
      }
      default: {
        // DATA_START; what stands in a line's rest was taken before.
        this.place = IN_DATA;
        if (byte == SPACE) return;
        store<u8>(single, byte);
        this.data.take(pointer, single, 1);
      }
    }
  }

  private takeMark(pointer: usize, byte: u8): void {
    const place = this.place;
    if (byte == load<u8>(BYTE_ORDER_MARK + place)) this.place = place + 1;
    else if (place != MARK) this.place = IN_OTHER;
    else this.takeField(pointer, byte);
  }

  private takeField(pointer: usize, byte: u8): void {
    if (this.place != IN_FIELD) this.matched = 0;
    const matched = this.matched;
    if (byte == COLON) {
      this.place = matched == DATA_BYTES ? DATA_START : IN_OTHER;
      if (matched == DATA_BYTES) this.startData(pointer);
    } else if (matched < DATA_BYTES && byte == load<u8>(DATA + matched)) {
      this.place = IN_FIELD;
      this.matched = matched + 1;
    } else {
      this.place = IN_OTHER;
    }
  }

  /** One more line of data: they are joined by LF. */
  private startData(pointer: usize): void {
    if (this.hasData) this.data.take(pointer, NEW_LINE, 1);
    else this.data.start();
    this.hasData = true;
  }

  private endLine(pointer: usize): void {
    const place = this.place;
    this.place = LINE_START;
    // A line that is `data` and no more is one of empty data.
    if (place == IN_FIELD && this.matched == DATA_BYTES) this.startData(pointer);
    else if (place == LINE_START || place == MARK) this.endEvent();
  }

  private endEvent(): void {
    if (!this.hasData) return;
    this.hasData = false;
    const found = this.data.outcome;
    if (found == USAGE_ABSENT || !this.data.mayEnd) return;
    // Whether an event that is too long has a value is not known: one that has counts.
    if (found == USAGE_TOO_LONG && this.outcome != USAGE_ABSENT) return;
    this.outcome = found;
    this.micro = this.data.micro;
  }


  @inline
  private get data(): JsonUsage {
    return changetype<JsonUsage>(changetype<usize>(this) + DATA_AT);
  }
}

/** Whole u64s, so that each part is aligned. */
const DATA_AT: u32 = (<u32>offsetof<EventUsage>() + 7) & ~7;
export const EVENT_USAGE_BYTES: u32 = DATA_AT + JSON_USAGE_BYTES;

function endOfLine(at: usize, end: usize): usize {
  while (at < end) {
    const byte = load<u8>(at);
    if (byte == LF || byte == CR) break;
    at++;
  }
  return at;
}
