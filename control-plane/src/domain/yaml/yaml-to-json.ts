// Writes a YAML tree as JSON text without changing a value: numbers keep their source, repeated keys stay.
import { isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar } from "yaml";
import type { YamlViolation } from "./yaml-document.js";

/** RFC 8259 section 6. YAML has more: `0x10`, `+1`, `.5`, `.inf`. */
const JSON_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
/** With the u flag this matches only a half without the other. */
const LONE_SURROGATE = /\p{Surrogate}/u;
/** With what may stand between it and its value: an anchor, comments, line ends. */
const TAG_BEFORE_VALUE = /!\S*(?:\s+&\S+)?(?:\s|#[^\n]*\n)*$/;
const TAG_SEARCHED_CHARS = 300;

/** What JSON cannot say is a violation, and `json` must not be used. */
export function yamlToJson(
  contents: ParsedNode | null,
  text: string,
): { json: string; violations: readonly YamlViolation[] } {
  const writer = new Writer(text);
  writer.write(contents);
  return { json: writer.parts.join(""), violations: writer.violations };
}

class Writer {
  readonly parts: string[] = [];
  readonly violations: YamlViolation[] = [];

  constructor(private readonly text: string) {}

  /** @param around the offset of what the node stands in */
  write(node: ParsedNode | null, around = 0): void {
    if (node === null) {
      this.parts.push("null");
      return;
    }
    const offset = offsetOf(node) ?? around;
    this.rejectBeyondJson(node, offset);
    if (isMap(node)) {
      this.list("{", node.items, "}", ({ key, value }) => {
        this.write(key, offset);
        this.parts.push(":");
        this.write(value, offset);
      });
    } else if (isSeq(node)) {
      this.list("[", node.items, "]", (item) => {
        this.write(item, offset);
      });
    } else if (isScalar(node)) {
      this.parts.push(jsonOf(node));
    }
  }

  private list<T>(open: string, items: readonly T[], close: string, write: (item: T) => void): void {
    this.parts.push(open);
    items.forEach((item, index) => {
      if (index > 0) this.parts.push(",");
      write(item);
    });
    this.parts.push(close);
  }

  private rejectBeyondJson(node: ParsedNode, offset: number): void {
    const reject = (message: string, at = offset): void => void this.violations.push({ message, offset: at });
    if (isAlias(node)) reject(`expected the value itself, got the alias *${node.source}`);
    else if (node.anchor !== undefined) reject(`expected no anchor, got &${node.anchor}`);
    if (node.tag !== undefined) reject(`expected no tag, got ${node.tag}`, tagBefore(this.text, offset));
    else if (!isAlias(node) && !isMap(node) && !isSeq(node) && !isScalar(node))
      reject("expected a value as JSON has it");
    if (isScalar(node) && typeof node.value === "string" && LONE_SURROGATE.test(node.value)) {
      reject("half of a surrogate pair");
    }
  }
}

/** A number that JSON cannot write is handed over as a string, so that the validator says what stands there. */
function jsonOf({ value, source }: Scalar): string {
  if (typeof value !== "number" && typeof value !== "bigint") return JSON.stringify(value);
  const text = source ?? String(value);
  return JSON_NUMBER.test(text) ? text : JSON.stringify(text);
}

/** The library's types promise a range; not all that it makes, such as the pairs of an ordered map, has one. */
function offsetOf(node: { readonly range?: readonly number[] | null }): number | undefined {
  return node.range?.[0];
}

/** Where a node's tag begins, whose value begins at `offset`: the library keeps the latter alone. */
function tagBefore(text: string, offset: number): number {
  const from = Math.max(0, offset - TAG_SEARCHED_CHARS);
  const found = TAG_BEFORE_VALUE.exec(text.slice(from, offset));
  return found === null ? offset : from + found.index;
}
