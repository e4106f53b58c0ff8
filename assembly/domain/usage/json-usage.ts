// Follows one JSON Pointer through a JSON document that comes in pieces, to the number there. Nothing is kept but
// JSON_USAGE_BYTES, whatever the document: names are compared as they come, strings are skipped.
import { isDigit } from "../../memory/ascii";
import { JsonWay, MAX_DEPTH } from "./json-way";
import { NumberState } from "./number-state";
import { USAGE_ABSENT, USAGE_FOUND, USAGE_INVALID, USAGE_TOO_LONG } from "./outcome";
import { tokenBytes, tokenText } from "./pointer";
import { STRING_BROKEN, STRING_GOES_ON, StringState } from "./string-state";

/** As much of a document as is read: 1 MiB. */
export const MAX_DOCUMENT_BYTES: u32 = 1048576;

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const MINUS: u8 = 0x2d;
const COLON: u8 = 0x3a;
const OPEN_ARRAY: u8 = 0x5b;
const BACKSLASH: u8 = 0x5c;
const CLOSE_ARRAY: u8 = 0x5d;
const OPEN_OBJECT: u8 = 0x7b;
const CLOSE_OBJECT: u8 = 0x7d;

// What comes next.
const VALUE: u8 = 0;
const FIRST_VALUE: u8 = 1;
const NAME: u8 = 2;
const FIRST_NAME: u8 = 3;
const AFTER_NAME: u8 = 4;
const AFTER_VALUE: u8 = 5;
const IN_NAME: u8 = 6;
const IN_STRING: u8 = 7;
const IN_NUMBER: u8 = 8;
const IN_LITERAL: u8 = 9;
/** Nothing is read any more: it is no JSON, or longer or deeper than is read. */
const NOTHING: u8 = 10;

/** "truefalsenull" */
const LITERALS: usize = memory.data<u8>([116, 114, 117, 101, 102, 97, 108, 115, 101, 110, 117, 108, 108]);
const FALSE_AT: u8 = 4;
const NULL_AT: u8 = 9;
const LITERALS_END: u8 = 13;

/** A view of JSON_USAGE_BYTES of static memory; way, number and string stand behind the fields. */
@unmanaged
export class JsonUsage {
  /** Of USAGE_FOUND: the value in millionths. */
  micro: u64;
  /** How many bytes of the document were read. */
  private bytes: u32;
  private next: u8;
  /** USAGE_…, of what was read so far. */
  outcome: u8;
  /** Within a literal: where in LITERALS its next byte is. */
  private literalAt: u8;

  /** Before a document. */
  start(): void {
    memory.fill(changetype<usize>(this), 0, JSON_USAGE_BYTES);
    this.way.isOnWay = true;
  }

  /**
   * Takes the next bytes of the document.
   * @param pointer compiled (pointer.ts), the same for the whole document
   */
  take(pointer: usize, bytes: usize, length: u32): void {
    if (this.next == NOTHING) return;
    const readable = min(length, MAX_DOCUMENT_BYTES - this.bytes);
    this.bytes += readable;
    const end = bytes + readable;
    for (let at = bytes; at < end; at++) {
      if (this.next == IN_STRING && this.string.isSkipped) {
        at = endOfText(at, end);
        if (at == end) break;
      }
      this.takeByte(pointer, load<u8>(at));
      if (this.next == NOTHING) return;
    }
    if (readable < length) this.giveUp();
  }

  /** Whether bytes that follow can change anything. */
  get wantsMore(): bool {
    return this.next != NOTHING;
  }

  /** Whether it could end here, or was given up. */
  get mayEnd(): bool {
    return this.next == NOTHING || (this.next == AFTER_VALUE && this.way.depth == 0);
  }

  private takeByte(pointer: usize, byte: u8): void {
    switch (this.next) {
      case IN_NAME:
      case IN_STRING: {
        this.takeInString(pointer, byte);
        return;
      }
      case IN_LITERAL: {
        this.takeInLiteral(pointer, byte);
        return;
      }
      case IN_NUMBER: {
        if (this.number.take(byte)) return;
        if (!this.endNumber(pointer, byte)) return;
        break;
      }
      default: {
        break;
      }
    }
    if (!isSpace(byte)) this.takeMark(pointer, byte);
  }

  /** A byte between values, or the first of one. */
  private takeMark(pointer: usize, byte: u8): void {
    switch (this.next) {
      case FIRST_VALUE:
      case VALUE: {
        if (byte == CLOSE_ARRAY && this.next == FIRST_VALUE) this.close();
        else this.startValue(pointer, byte);
        return;
      }
      case FIRST_NAME:
      case NAME: {
        if (byte == CLOSE_OBJECT && this.next == FIRST_NAME) this.close();
        else this.startName(byte);
        return;
      }
      case AFTER_NAME: {
        if (byte == COLON) this.next = VALUE;
        else this.fail();
        return;
      }
      default: {
        if (this.way.depth == 0) this.fail();
        else if (byte == COMMA) this.startItem(pointer);
        else if (byte == (this.way.isInObject ? CLOSE_OBJECT : CLOSE_ARRAY)) this.close();
        else this.fail();
      }
    }
  }

  /** Behind a comma. */
  private startItem(pointer: usize): void {
    this.next = this.way.isInObject ? NAME : VALUE;
    this.way.next(pointer);
  }

  private startName(byte: u8): void {
    this.next = IN_NAME;
    this.string.start(this.way.isContainerOnWay);
    if (byte != QUOTE) this.fail();
  }

  private startValue(pointer: usize, byte: u8): void {
    if (byte == OPEN_OBJECT || byte == OPEN_ARRAY) {
      this.open(pointer, byte == OPEN_OBJECT);
    } else if (byte == QUOTE) {
      this.next = IN_STRING;
      this.string.start(false);
    } else if (byte == MINUS || isDigit(byte)) {
      this.next = IN_NUMBER;
      this.number.start();
      this.number.take(byte);
    } else {
      this.startLiteral(byte);
    }
  }

  private open(pointer: usize, isObject: bool): void {
    const way = this.way;
    if (way.isTarget(pointer)) this.outcome = USAGE_INVALID;
    if (way.depth == MAX_DEPTH) {
      this.giveUp();
      return;
    }
    way.open(pointer, isObject);
    this.next = isObject ? FIRST_NAME : FIRST_VALUE;
  }

  private close(): void {
    this.way.close();
    this.next = AFTER_VALUE;
  }

  private takeInString(pointer: usize, byte: u8): void {
    const way = this.way;
    const token: u32 = way.depth - 1;
    const isCompared = this.next == IN_NAME && way.isContainerOnWay;
    const text = isCompared ? tokenText(pointer, token) : 0;
    const textBytes = isCompared ? tokenBytes(pointer, token) : 0;
    const taken = this.string.take(byte, text, textBytes);
    if (taken == STRING_GOES_ON) return;
    if (taken == STRING_BROKEN) {
      this.fail();
    } else if (this.next == IN_NAME) {
      this.next = AFTER_NAME;
      way.isOnWay = isCompared && this.string.isText(textBytes);
      // Of members of one name the last counts, whatever it holds.
      if (way.isOnWay) this.outcome = USAGE_ABSENT;
    } else {
      this.next = AFTER_VALUE;
      if (this.way.isTarget(pointer)) this.outcome = USAGE_INVALID;
    }
  }

  /** The number ends before the byte `following`. False: no JSON goes on so. */
  private endNumber(pointer: usize, following: u8): bool {
    const number = this.number;
    const mayEnd = isSpace(following) || following == COMMA || following == CLOSE_OBJECT || following == CLOSE_ARRAY;
    if (!number.isWhole || !mayEnd) {
      this.fail();
      return false;
    }
    this.next = AFTER_VALUE;
    if (!this.way.isTarget(pointer)) return true;
    this.outcome = number.outcome;
    this.micro = this.outcome == USAGE_FOUND ? number.micro : 0;
    return true;
  }

  private startLiteral(byte: u8): void {
    this.next = IN_LITERAL;
    if (byte == 0x74) this.literalAt = 1;
    else if (byte == 0x66) this.literalAt = FALSE_AT + 1;
    else if (byte == 0x6e) this.literalAt = NULL_AT + 1;
    else this.fail();
  }

  private takeInLiteral(pointer: usize, byte: u8): void {
    const at = this.literalAt + 1;
    this.literalAt = at;
    if (byte != load<u8>(LITERALS + at - 1)) {
      this.fail();
    } else if (at == FALSE_AT || at == NULL_AT || at == LITERALS_END) {
      this.next = AFTER_VALUE;
      // A null is no value.
      if (at != LITERALS_END && this.way.isTarget(pointer)) this.outcome = USAGE_INVALID;
    }
  }

  /** It is no JSON: nothing in it counts. */
  private fail(): void {
    this.next = NOTHING;
    this.outcome = USAGE_ABSENT;
  }

  /** More than is read: what was found counts. */
  private giveUp(): void {
    this.next = NOTHING;
    if (this.outcome == USAGE_ABSENT) this.outcome = USAGE_TOO_LONG;
  }


  @inline
  private get way(): JsonWay {
    return changetype<JsonWay>(changetype<usize>(this) + WAY_AT);
  }


  @inline
  private get number(): NumberState {
    return changetype<NumberState>(changetype<usize>(this) + NUMBER_AT);
  }


  @inline
  private get string(): StringState {
    return changetype<StringState>(changetype<usize>(this) + STRING_AT);
  }
}

/** Whole u64s, so that each part is aligned. */
const WAY_AT: u32 = (<u32>offsetof<JsonUsage>() + 7) & ~7;
const NUMBER_AT: u32 = (WAY_AT + <u32>offsetof<JsonWay>() + 7) & ~7;
const STRING_AT: u32 = (NUMBER_AT + <u32>offsetof<NumberState>() + 7) & ~7;
export const JSON_USAGE_BYTES: u32 = (STRING_AT + <u32>offsetof<StringState>() + 7) & ~7;

/** The next byte of a string that is not text alone. */
function endOfText(at: usize, end: usize): usize {
  while (at < end) {
    const byte = load<u8>(at);
    if (byte == QUOTE || byte == BACKSLASH || byte < 0x20) break;
    at++;
  }
  return at;
}

function isSpace(byte: u8): bool {
  return byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09;
}
