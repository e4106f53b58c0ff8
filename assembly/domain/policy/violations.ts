// What is wrong with a policy: violations with a path and a message, and the words in which a message shows a value.
import { MAX_VIOLATIONS } from "../../contract";
import { JSON_ARRAY, JSON_FALSE, JSON_NULL, JSON_NUMBER, JSON_OBJECT, JSON_STRING, JsonNode } from "../json/node";
import { isHighSurrogate } from "../json/strings";
import { quoteJson } from "../json/writer";
import { isWord } from "./names";

/** A violation quotes at most so much of the document: 100 violations must not become a multiple of it. */
const MAX_QUOTED_UNITS: i32 = 64;

/** `path` is that of the field, such as `plans[1].maxTokens`; empty for the document as a whole. */
export class Violation {
  constructor(
    public path: string,
    public message: string,
  ) {}
}

/** For a log: `plans[1].maxTokens: expected …`. */
export function violationText(violation: Violation): string {
  return violation.path.length == 0 ? violation.message : `${violation.path}: ${violation.message}`;
}

/** Keeps the first MAX_VIOLATIONS. */
export class Violations {
  list: Violation[] = [];

  get full(): bool {
    return <u32>this.list.length >= MAX_VIOLATIONS;
  }

  add(path: string, message: string): void {
    if (!this.full) this.list.push(new Violation(path, message));
  }
}

/** `table.name`; a name that is no plain word is written `table["a b"]`. */
export function memberPath(parent: string, name: string): string {
  if (!isWord(name, MAX_QUOTED_UNITS)) return `${parent}[${quoteJson(clip(name))}]`;
  return parent.length == 0 ? name : `${parent}.${name}`;
}

export function itemPath(parent: string, index: i32): string {
  return `${parent}[${index}]`;
}

/** What stood there, as the end of `expected …, got …`. */
export function describeNode(node: JsonNode): string {
  if (node.kind == JSON_STRING) return quoteJson(clip(node.text));
  if (node.kind == JSON_NUMBER) return clip(node.text);
  if (node.kind == JSON_NULL) return "null";
  if (node.kind == JSON_OBJECT) return "an object";
  if (node.kind == JSON_ARRAY) return describeArray(node.items.length);
  return node.kind == JSON_FALSE ? "false" : "true";
}

function describeArray(count: i32): string {
  if (count == 0) return "an empty array";
  return count == 1 ? "an array of 1 item" : `an array of ${count} items`;
}

function clip(text: string): string {
  if (text.length <= MAX_QUOTED_UNITS) return text;
  const splitsPair = isHighSurrogate(text.charCodeAt(MAX_QUOTED_UNITS - 1));
  return text.substring(0, MAX_QUOTED_UNITS - (splitsPair ? 1 : 0)) + "...";
}
