// One field while it is validated. Each method answers the value, or the default where the field is absent or rejected.
import {
  JSON_ARRAY,
  JSON_FALSE,
  JSON_NULL,
  JSON_NUMBER,
  JSON_OBJECT,
  JSON_STRING,
  JSON_TRUE,
  JsonNode,
} from "../json/node";
import { NUMBER_FITS, scaleNumber } from "../json/number";
import { Choice } from "./choice";
import { DURATION_EXAMPLE, durationMs } from "./durations";
import { Violations, describeNode } from "./violations";

const NO_MEMBERS: JsonNode = JsonNode.ofObject();

export class Field {
  /** No violation so far. A rule between two fields is checked only where both fit. */
  fits: bool = true;
  /** What `isInteger` or `isMillionths` has found. */
  read: u64 = 0;

  /** @param node null where the field is absent */
  constructor(
    public path: string,
    public node: JsonNode | null,
    private isRequired: bool,
    private violations: Violations,
  ) {}

  get isNull(): bool {
    const node = this.node;
    return node !== null && node.kind == JSON_NULL;
  }

  /** It is there, and not null. */
  get isGiven(): bool {
    return this.node !== null && !this.isNull;
  }

  integer(min: u64, max: u64, fallback: u64): u64 {
    if (this.reads(0, min, max, fallback)) return this.read;
    return this.rejectNumber(min == max ? min.toString() : `an integer from ${min} to ${max}`, fallback);
  }

  /** `null` is 0, which must lie outside the range. */
  integerOrNull(min: u64, max: u64, fallback: u64): u64 {
    if (this.isNull) return 0;
    if (this.reads(0, min, max, fallback)) return this.read;
    return this.rejectNumber(`an integer from ${min} to ${max} or null`, fallback);
  }

  /** Whether it holds an integer, which `read` then is; if not, nothing is said of it yet. */
  isInteger(min: u64, max: u64): bool {
    return this.reads(0, min, max, 0);
  }

  /** Whether it holds a number with at most 6 decimals, which `read` then is, × 10^6. @param minMicro as is the result */
  isMillionths(minMicro: u64, max: u64, fallback: u64): bool {
    return this.reads(6, minMicro, max * 1000000, fallback);
  }

  /** In ms: an integer, or a string such as `1h30m`. */
  duration(minMs: u64, maxMs: u64, fallback: u64): u64 {
    if (this.reads(0, minMs, maxMs, fallback)) return this.read;
    const node = this.node;
    if (this.fits && node !== null && node.kind == JSON_STRING) {
      const ms = durationMs(node.text);
      if (ms >= 0 && <u64>ms >= minMs && <u64>ms <= maxMs) return <u64>ms;
    }
    const expected = `a duration from ${minMs} to ${maxMs} ms: an integer, or a string such as ${DURATION_EXAMPLE}`;
    return this.rejectNumber(expected, fallback);
  }

  boolean(fallback: bool): bool {
    const node = this.present("true or false");
    if (node === null) return fallback;
    if (node.kind == JSON_TRUE) return true;
    if (node.kind == JSON_FALSE) return false;
    this.reject("true or false");
    return fallback;
  }

  choice(choice: Choice, fallback: u8): u8 {
    return this.choiceOr(choice, "", fallback);
  }

  /** `null` is the fallback. */
  choiceOrNull(choice: Choice, fallback: u8): u8 {
    return this.isNull ? fallback : this.choiceOr(choice, ", or null", fallback);
  }

  /** @param accepts which strings will do, and `expected` the same in words */
  string(accepts: (text: string) => bool, expected: string, fallback: string): string {
    const node = this.present(expected);
    if (node === null) return fallback;
    if (node.kind == JSON_STRING && accepts(node.text)) return node.text;
    this.reject(expected);
    return fallback;
  }

  /** No items where the array is absent or rejected. */
  items(min: i32, max: i32): JsonNode[] {
    const expected = `an array of ${min} to ${max} items`;
    const node = this.present(expected);
    if (node === null) return [];
    const count = node.kind == JSON_ARRAY ? node.items.length : -1;
    if (count >= min && count <= max) return node.items;
    this.reject(expected);
    return [];
  }

  /** One item at least; none where it is `null`, absent or rejected. */
  itemsOrNull(max: i32): JsonNode[] {
    const expected = `an array of 1 to ${max} items or null`;
    const node = this.present(expected);
    if (node === null || node.kind == JSON_NULL) return [];
    const count = node.kind == JSON_ARRAY ? node.items.length : 0;
    if (count >= 1 && count <= max) return node.items;
    this.reject(expected);
    return [];
  }

  /** Two items; none where it is absent or rejected. */
  pair(expected: string): JsonNode[] {
    const node = this.present(expected);
    if (node === null) return [];
    if (node.kind == JSON_ARRAY && node.items.length == 2) return node.items;
    this.reject(expected);
    return [];
  }

  object(): JsonNode {
    const node = this.present("an object");
    if (node === null) return NO_MEMBERS;
    if (node.kind == JSON_OBJECT) return node;
    this.reject("an object");
    return NO_MEMBERS;
  }

  /** Adds a violation of a number that is none, or missing; answers the fallback. */
  rejectNumber(expected: string, fallback: u64): u64 {
    if (this.present(expected) !== null) this.reject(expected);
    return fallback;
  }

  /** Adds a violation: what was expected, and what the field holds. */
  reject(expected: string): void {
    const node = this.node;
    if (node !== null) this.violation(`expected ${expected}, got ${describeNode(node)}`);
  }

  /** Adds a violation: it is missing, or null, where it must be given. */
  lacks(expected: string): void {
    if (!this.fits) return;
    if (this.node === null) this.violation(`missing, expected ${expected}`);
    else this.reject(expected);
  }

  violation(message: string): void {
    this.fits = false;
    this.violations.add(this.path, message);
  }

  private choiceOr(choice: Choice, orElse: string, fallback: u8): u8 {
    const node = this.node;
    if (node === null && !this.isRequired) return fallback;
    const code = node !== null && node.kind == JSON_STRING ? choice.code(node.text) : -1;
    if (this.fits && code >= 0) return <u8>code;
    const expected = choice.describe() + orElse;
    if (this.present(expected) !== null) this.reject(expected);
    return fallback;
  }

  /**
   * Whether nothing is to be said against it: it is absent and may be, or it is a number within the bounds. `read` is then
   * its value × 10^decimals. What was expected is put into words only where it is not: a policy has thousands of numbers.
   */
  private reads(decimals: i32, min: u64, max: u64, fallback: u64): bool {
    this.read = fallback;
    const node = this.node;
    if (node === null) return !this.isRequired;
    if (!this.fits || node.kind != JSON_NUMBER) return false;
    const number = scaleNumber(node.text, decimals);
    if (number.state != NUMBER_FITS || number.value < min || number.value > max) return false;
    this.read = number.value;
    return true;
  }

  /** The node to validate. A repeated field has none: no value of it is the right one. */
  private present(expected: string): JsonNode | null {
    if (!this.fits) return null;
    if (this.node === null && this.isRequired) this.violation(`missing, expected ${expected}`);
    return this.node;
  }
}
