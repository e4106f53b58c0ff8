// Whether a store's file holds every page that its newest commit needs: LMDB maps the file into memory, and its process
// ends by a signal at a page that is not there. Reads the format of the LMDB that the lmdb package brings (data version 2).
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

export type StoreState = "whole" | "cut short" | "not of LMDB";

const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
/** Of every page: its number, its transaction, two bytes, its flags, where its nodes' offsets end, where its nodes begin. */
const PAGE_HEADER_BYTES = 24;
const AT_PAGE_FLAGS = 18;
const AT_OFFSETS_END = 20;
/** In the first two pages, one of which is of the newest commit. */
const META_BYTES = 160;
const AT_MAGIC = 24;
const AT_VERSION = 28;
const AT_PAGE_BYTES = 48;
/** Of the database of free pages, and of the one that holds all others. */
const AT_ROOTS = [88, 136] as const;
const AT_LAST_PAGE = 144;
const AT_TRANSACTION = 152;
const MIN_PAGE_BYTES = 256;
const MAX_PAGE_BYTES = 65_536;

const BRANCH_PAGE = 1;
const LEAF_PAGE = 2;
const NODE_HEADER_BYTES = 8;
/** Of a leaf's node: its value stands on pages of its own, or is a database. */
const BIG_VALUE = 1;
const DATABASE = 2;
const AT_DATABASE_ROOT = 40;
/** An empty database's. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/** An empty file is as good as none: LMDB begins one there. */
export function storeStateOf(path: string): StoreState {
  const fd = openSync(path, "r");
  try {
    const first = bytesAt(fd, 0, META_BYTES);
    if (first.length === 0) return "whole";
    if (!isMeta(first)) return "not of LMDB";
    const pageBytes = first.readUInt32LE(AT_PAGE_BYTES);
    const second = bytesAt(fd, pageBytes, META_BYTES);
    if (second.length < META_BYTES) return "cut short";
    if (!isMeta(second)) return "not of LMDB";
    const newest = transactionOf(first) >= transactionOf(second) ? first : second;
    return areAllThere(fd, newest, pageBytes) ? "whole" : "cut short";
  } finally {
    closeSync(fd);
  }
}

function isMeta(bytes: Buffer): boolean {
  if (bytes.length < META_BYTES || bytes.readUInt32LE(AT_MAGIC) !== MAGIC) return false;
  const pageBytes = bytes.readUInt32LE(AT_PAGE_BYTES);
  // The upper half says how the store was opened.
  const version = bytes.readUInt16LE(AT_VERSION);
  return version === DATA_VERSION && pageBytes >= MIN_PAGE_BYTES && pageBytes <= MAX_PAGE_BYTES;
}

const transactionOf = (meta: Buffer): bigint => meta.readBigUInt64LE(AT_TRANSACTION);

/**
 * Where the file ends before the last page that was ever used, what is missing may have been free before it was written:
 * only then every page is looked at.
 */
function areAllThere(fd: number, meta: Buffer, pageBytes: number): boolean {
  const lastPage = Number(meta.readBigUInt64LE(AT_LAST_PAGE));
  // After the meta page was read: a process that writes makes the file longer first.
  const pages = Math.floor(fstatSync(fd).size / pageBytes);
  if (pages > lastPage) return true;
  const roots = AT_ROOTS.map((at) => meta.readBigUInt64LE(at)).filter((root) => root !== NO_PAGE);
  const left = roots.map(Number);
  try {
    for (let looked = 0; looked <= lastPage; looked++) {
      const page = left.pop();
      if (page === undefined) return true;
      if (page >= pages) return false;
      for (const { at, count, isNode } of needed(bytesAt(fd, page * pageBytes, pageBytes))) {
        if (at + count > pages) return false;
        if (isNode) left.push(at);
      }
    }
  } catch (error) {
    // An offset leads out of its page.
    if (!(error instanceof RangeError)) throw error;
  }
  // More pages than there are: they lead in a circle.
  return false;
}

/** Pages that a page leads to. */
interface Needed {
  readonly at: number;
  readonly count: number;
  /** Whether it leads to others in turn. */
  readonly isNode: boolean;
}

function needed(page: Buffer): Needed[] {
  const flags = page.readUInt16LE(AT_PAGE_FLAGS);
  const count = page.readUInt16LE(AT_OFFSETS_END) / 2;
  const nodes = Array.from({ length: count }, (_, index) => {
    const offset = page.readUInt16LE(PAGE_HEADER_BYTES + 2 * index);
    return page.subarray(PAGE_HEADER_BYTES + offset);
  });
  if ((flags & BRANCH_PAGE) !== 0) return nodes.map((node) => one(node.readUIntLE(0, 6)));
  return (flags & LEAF_PAGE) === 0 ? [] : nodes.flatMap((node) => neededByValue(node, page.length));
}

const one = (at: number): Needed => ({ at, count: 1, isNode: true });

function neededByValue(node: Buffer, pageBytes: number): Needed[] {
  const flags = node.readUInt16LE(4);
  const at = NODE_HEADER_BYTES + node.readUInt16LE(6);
  if ((flags & BIG_VALUE) !== 0) {
    const count = Math.ceil((PAGE_HEADER_BYTES + node.readUInt32LE(0)) / pageBytes);
    return [{ at: Number(node.readBigUInt64LE(at)), count, isNode: false }];
  }
  if ((flags & DATABASE) === 0) return [];
  const root = node.readBigUInt64LE(at + AT_DATABASE_ROOT);
  return root === NO_PAGE ? [] : [one(Number(root))];
}

/** Fewer where the file ends before. */
function bytesAt(fd: number, at: number, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  return bytes.subarray(0, readSync(fd, bytes, 0, count, at));
}
