// Where in a JSON document the reader stands. A value is "on the way" if the names and indexes that lead to it are the first
// reference tokens of the pointer: it is the value that the pointer names (the target), or may hold it.
import { isIndex, tokenCount } from "./pointer";

/** Containers that may be open at once: `kinds` has a bit for each. */
export const MAX_DEPTH: u8 = 64;

/** Stands as `element` once the element that is on the way has ended. */
const NO_ELEMENT: u32 = 0xffffffff;

/** A view of static memory. */
@unmanaged
export class JsonWay {
  /** The containers that are open: a bit each, the outermost lowest, 1 for an object. */
  private kinds: u64;
  /** Of the innermost container on the way, if it is an array: which element comes or is read. */
  private element: u32;
  /** How many containers are open. */
  depth: u8;
  /** How many of them, from the outermost, are on the way. */
  private depthOnWay: u8;
  /** The value that comes or is read is on the way. */
  isOnWay: bool;

  /** Whether the value that comes or is read is the one that the pointer names. */
  isTarget(pointer: usize): bool {
    return this.isOnWay && <u32>this.depth == tokenCount(pointer);
  }

  /** Whether the innermost container is on the way. */
  get isContainerOnWay(): bool {
    return this.depth == this.depthOnWay;
  }

  get isInObject(): bool {
    return ((this.kinds >> (this.depth - 1)) & 1) != 0;
  }

  /** A container begins; there are fewer than MAX_DEPTH. */
  open(pointer: usize, isObject: bool): void {
    const depth = this.depth;
    const isOnWay = this.isOnWay && !this.isTarget(pointer);
    const bit = (<u64>1) << depth;
    this.kinds = isObject ? this.kinds | bit : this.kinds & ~bit;
    this.depth = depth + 1;
    this.isOnWay = false;
    if (!isOnWay) return;
    this.depthOnWay = depth + 1;
    this.element = 0;
    this.isOnWay = !isObject && isIndex(pointer, depth, 0);
  }

  close(): void {
    const depth = --this.depth;
    if (this.depthOnWay <= depth) return;
    this.depthOnWay = depth;
    this.element = NO_ELEMENT;
  }

  /** Behind a comma: the next element, or a member whose name is still to come. */
  next(pointer: usize): void {
    this.isOnWay = false;
    if (this.isInObject || !this.isContainerOnWay || this.element == NO_ELEMENT) return;
    this.isOnWay = isIndex(pointer, this.depth - 1, ++this.element);
  }
}
