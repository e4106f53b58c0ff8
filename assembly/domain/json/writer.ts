// Writes JSON text. It joins its parts once at the end: appending to one string would copy it each time.

export class JsonWriter {
  private parts: string[] = [];
  private commaDue: bool = false;

  beginObject(): JsonWriter {
    return this.begin("{");
  }

  endObject(): JsonWriter {
    return this.end("}");
  }

  beginArray(): JsonWriter {
    return this.begin("[");
  }

  endArray(): JsonWriter {
    return this.end("]");
  }

  /** A member's name; its value must follow. */
  name(name: string): JsonWriter {
    this.string(name);
    this.parts.push(":");
    this.commaDue = false;
    return this;
  }

  string(value: string): JsonWriter {
    if (!isPlain(value)) return this.raw(quoteJson(value));
    // Three parts and no string of their own: a large policy has a hundred thousand of these.
    this.raw('"');
    this.parts.push(value);
    this.parts.push('"');
    return this;
  }

  integer(value: u64): JsonWriter {
    return this.raw(value.toString());
  }

  /** Text that is a JSON value already. */
  raw(json: string): JsonWriter {
    if (this.commaDue) this.parts.push(",");
    this.parts.push(json);
    this.commaDue = true;
    return this;
  }

  toString(): string {
    return this.parts.join("");
  }

  private begin(mark: string): JsonWriter {
    this.raw(mark);
    this.commaDue = false;
    return this;
  }

  private end(mark: string): JsonWriter {
    this.parts.push(mark);
    this.commaDue = true;
    return this;
  }
}

/** The string in quotes, escaped where RFC 8259 section 7 demands it. */
export function quoteJson(value: string): string {
  const parts: string[] = ['"'];
  let copied = 0;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (isPlainUnit(unit)) continue;
    parts.push(value.substring(copied, i));
    parts.push(escapeUnit(unit));
    copied = i + 1;
  }
  parts.push(value.substring(copied));
  parts.push('"');
  return parts.join("");
}

function isPlain(value: string): bool {
  for (let i = 0; i < value.length; i++) if (!isPlainUnit(value.charCodeAt(i))) return false;
  return true;
}

function isPlainUnit(unit: i32): bool {
  return unit >= 0x20 && unit != 0x22 && unit != 0x5c;
}

function escapeUnit(unit: i32): string {
  switch (unit) {
    case 0x22:
      return '\\"';
    case 0x5c:
      return "\\\\";
    case 0x0a:
      return "\\n";
    case 0x0d:
      return "\\r";
    case 0x09:
      return "\\t";
    default:
      return "\\u" + unit.toString(16).padStart(4, "0");
  }
}
