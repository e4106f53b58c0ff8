// A strict RFC 8259 reader: text in, a tree or the first error out. It never traps and never guesses.
import { isDigit } from "../../memory/ascii";
import { JSON_FALSE, JSON_NULL, JSON_NUMBER, JSON_STRING, JSON_TRUE, JsonNode } from "./node";
import { StringReader, isHighSurrogate, isLowSurrogate } from "./strings";

/** Bounds the recursion. A policy is 4 levels deep, an answer of the control plane 3. */
const MAX_JSON_DEPTH: i32 = 32;

const QUOTE: i32 = 0x22;
const COMMA: i32 = 0x2c;
const MINUS: i32 = 0x2d;
const POINT: i32 = 0x2e;
const ZERO: i32 = 0x30;
const COLON: i32 = 0x3a;
const OPEN_ARRAY: i32 = 0x5b;
const CLOSE_ARRAY: i32 = 0x5d;
const OPEN_OBJECT: i32 = 0x7b;
const CLOSE_OBJECT: i32 = 0x7d;

/** Either `root`, or where (in UTF-16 units) and why the text is not JSON. */
export class JsonReading {
  constructor(
    public root: JsonNode | null,
    public offset: i32,
    public message: string,
  ) {}
}

/** Reads the whole text as one value. Its time and memory are linear in the text, whose size the caller bounds. */
export function readJson(text: string): JsonReading {
  const lone = loneSurrogateAt(text);
  if (lone >= 0) return new JsonReading(null, lone, "half of a surrogate pair");
  const reader = new Reader(text);
  const root = reader.document();
  if (root === null) return new JsonReading(null, reader.at, reader.failure);
  return new JsonReading(root, 0, "");
}

function loneSurrogateAt(text: string): i32 {
  const length = text.length;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) i++;
    else if (isHighSurrogate(unit) || isLowSurrogate(unit)) return i;
  }
  return -1;
}

/** Walks the text once. A method that answers null or false has set `failure`, and left `at` where it is. */
class Reader {
  at: i32 = 0;
  failure: string = "";

  constructor(private text: string) {}

  document(): JsonNode | null {
    const root = this.value(0);
    if (root === null) return null;
    this.skipSpace();
    return this.at == this.text.length ? root : this.fail("expected the end of the text");
  }

  private value(depth: i32): JsonNode | null {
    this.skipSpace();
    const unit = this.peek();
    if (unit == OPEN_OBJECT || unit == OPEN_ARRAY) {
      if (depth == MAX_JSON_DEPTH) return this.fail(`nested deeper than ${MAX_JSON_DEPTH} levels`);
      return unit == OPEN_OBJECT ? this.object(depth) : this.array(depth);
    }
    if (unit == QUOTE) return this.string();
    if (unit == MINUS || isDigit(unit)) return this.number();
    if (unit == 0x74) return this.literal("true", JSON_TRUE);
    if (unit == 0x66) return this.literal("false", JSON_FALSE);
    if (unit == 0x6e) return this.literal("null", JSON_NULL);
    return this.fail("expected a value");
  }

  private object(depth: i32): JsonNode | null {
    const node = JsonNode.ofObject();
    this.at++;
    if (this.takes(CLOSE_OBJECT)) return node;
    do {
      this.skipSpace();
      if (this.peek() != QUOTE) return this.fail("expected a member's name in double quotes");
      const name = this.string();
      if (name === null) return null;
      if (!this.takes(COLON)) return this.fail('expected ":"');
      const value = this.value(depth + 1);
      if (value === null) return null;
      node.names.push(name.text);
      node.items.push(value);
    } while (this.takes(COMMA));
    return this.takes(CLOSE_OBJECT) ? node : this.fail('expected "," or "}"');
  }

  private array(depth: i32): JsonNode | null {
    const node = JsonNode.ofArray();
    this.at++;
    if (this.takes(CLOSE_ARRAY)) return node;
    do {
      const value = this.value(depth + 1);
      if (value === null) return null;
      node.items.push(value);
    } while (this.takes(COMMA));
    return this.takes(CLOSE_ARRAY) ? node : this.fail('expected "," or "]"');
  }

  private string(): JsonNode | null {
    const strings = new StringReader(this.text, this.at + 1);
    const read = strings.read();
    this.at = strings.at;
    return read ? JsonNode.ofText(JSON_STRING, strings.value) : this.fail(strings.failure);
  }

  /** number = [ minus ] int [ frac ] [ exp ], RFC 8259 section 6. */
  private number(): JsonNode | null {
    const start = this.at;
    if (this.peek() == MINUS) this.at++;
    if (this.peek() == ZERO) this.at++;
    else if (!this.digits()) return this.fail("expected a digit");
    if (this.peek() == POINT) {
      this.at++;
      if (!this.digits()) return this.fail("expected a digit");
    }
    if ((this.peek() | 0x20) == 0x65) {
      this.at++;
      if (this.peek() == MINUS || this.peek() == 0x2b) this.at++;
      if (!this.digits()) return this.fail("expected a digit");
    }
    return JsonNode.ofText(JSON_NUMBER, this.text.substring(start, this.at));
  }

  private digits(): bool {
    const start = this.at;
    while (isDigit(this.peek())) this.at++;
    return this.at > start;
  }

  private literal(literal: string, kind: u8): JsonNode | null {
    if (!this.text.startsWith(literal, this.at)) return this.fail("expected a value");
    this.at += literal.length;
    return new JsonNode(kind);
  }

  private skipSpace(): void {
    let unit = this.peek();
    while (unit == 0x20 || unit == 0x0a || unit == 0x0d || unit == 0x09) {
      this.at++;
      unit = this.peek();
    }
  }

  private takes(mark: i32): bool {
    this.skipSpace();
    if (this.peek() != mark) return false;
    this.at++;
    return true;
  }

  /** The unit at `at`, or -1 at the end of the text. */
  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1;
  }

  private fail(failure: string): JsonNode | null {
    this.failure = failure;
    return null;
  }
}

/** `line 3, column 7` of an offset, both from 1, for the people who read an error. */
export function describePosition(text: string, offset: i32): string {
  let line = 1;
  let lineStart = 0;
  for (let i = 0; i < offset && i < text.length; i++) {
    if (text.charCodeAt(i) != 0x0a) continue;
    line++;
    lineStart = i + 1;
  }
  return `line ${line}, column ${offset - lineStart + 1}`;
}
