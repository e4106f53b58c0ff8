// Who the store is: its schema and name, and its log in this life of the server. What is not the store of before is not used.

import type { Random } from "../../../app/ports/ports.js";
import { newLogId } from "../../log-id.js";
import { KEYS } from "../keys.js";
import { BEGAN, BEGIN } from "../scripts.js";
import type { Reply } from "./client.js";
import type { Life } from "./life.js";
import { failureOf, saidPlainly } from "./reply-errors.js";

export const REDIS_SCHEMA = 1;

/** The store in one life of a server. */
export interface StoreLife {
  /** Names the store; the same in every life. */
  readonly store: string;
  /** Names the log in this life. */
  readonly log: string;
  readonly cursor: number;
  /** How many commits the store had seen when its log began. */
  readonly commitsBefore: number;
  /** Why the log has not begun in this life: nothing may be written in it, and reads go by the log of before. Undefined: it has. */
  readonly notBegun: string | undefined;
}

/** There is no store yet: an operator says whether one is to be made, for one that was lost looks the same. */
export class NoStore extends Error {
  override readonly name = "NoStore";
}

/** The store is not the one of before, or another version's. */
export class AnotherStore extends Error {
  override readonly name = "AnotherStore";
}

const FIELDS = ["schema", "store", "life", "log", "cursor", "commitsBefore", BEGAN] as const;

/**
 * Begins the store's log in this life, where nobody has yet and the server takes a write, and writes down when.
 * @param expected the store's name, once it is known
 * @throws NoStore, AnotherStore
 */
export async function storeIn(life: Life, expected: string | undefined, random: Random): Promise<StoreLife> {
  const found = await read(life);
  if (found.store === "") {
    if (expected === undefined)
      throw new NoStore("it is empty: if it is new, run `sluice store init`; if it has lost its data, put that back");
    throw new AnotherStore("it has lost its data: the store that this process worked with is not there any more");
  }
  if (expected !== undefined && found.store !== expected) {
    throw new AnotherStore("it holds another store than the one that this process worked with");
  }
  if (found.schema !== String(REDIS_SCHEMA)) throw otherSchema(found.schema);
  if (found.life === life.info.life && isOfLog(found)) return storeLife(found, undefined);
  const notBegun = await begin(life, random);
  if (notBegun !== undefined) return storeLife(found, notBegun);
  const begun = await read(life);
  if (begun.life !== life.info.life) throw new Error("it writes another history now");
  return storeLife(begun, undefined);
}

/** Answers why not, where the server takes no write for now. Another process may have been first. */
async function begin(life: Life, random: Random): Promise<string | undefined> {
  try {
    const names = [String(REDIS_SCHEMA), life.info.life, newLogId(random)];
    await life.writes.run(BEGIN, KEYS.meta, names, [KEYS.sessions]);
    return undefined;
  } catch (error) {
    if (failureOf(error) !== "unwritable") throw error;
    return saidPlainly(error);
  }
}

/** A control plane of an earlier version begins a log, and does not say when. */
const isOfLog = ({ log, began }: Found): boolean => began.startsWith(`${log} `);

type Found = Readonly<Record<(typeof FIELDS)[number], string>>;

async function read(life: Life): Promise<Found> {
  const values = (await life.reads.send(["HMGET", KEYS.meta, ...FIELDS])) as readonly Reply[];
  return Object.fromEntries(FIELDS.map((field, i) => [field, String(values[i] ?? "")])) as Found;
}

const storeLife = ({ store, log, cursor, commitsBefore }: Found, notBegun: string | undefined): StoreLife => ({
  store,
  log,
  cursor: Number(cursor),
  commitsBefore: Number(commitsBefore),
  notBegun,
});

const otherSchema = (schema: string): AnotherStore => {
  const newer = Number(schema) > REDIS_SCHEMA ? "a newer" : "an older";
  return new AnotherStore(`its schema is ${schema}, of ${newer} version; this program works with ${REDIS_SCHEMA}`);
};

/** With what says which store a script is for. */
export const forStore = (store: string, args: readonly string[]): string[] => [String(REDIS_SCHEMA), store, ...args];
