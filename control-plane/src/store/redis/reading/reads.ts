// Reads of one moment: some of them together, in one script.
import type { LogPosition } from "../../../domain/stored.js";
import type { Reply } from "../connection/client.js";
import { forStore } from "../connection/store-name.js";
import type { Link, Linked } from "../connection/link.js";
import { failureOf, saidPlainly } from "../connection/reply-errors.js";
import { StoreUnwritable } from "../../../app/ports/store-health.js";
import { KEYS, keyOf } from "../keys.js";
import type { Script } from "../scripts.js";
import { READ } from "./read-script.js";

/** As the script has them: the kind and its arguments. */
export type Read = readonly string[];

/** What a reading gave, each answer in the place of its read. */
export interface Reading {
  readonly position: LogPosition;
  readonly answers: readonly Reply[];
}

export interface ReadsParts {
  readonly link: Link;
  readonly noteHead: (head: LogPosition) => void;
}

export class Reads {
  constructor(private readonly parts: ReadsParts) {}

  /** @throws StoreUnwritable where the store does not answer */
  async run(reads: readonly Read[]): Promise<Reading> {
    const reply = await this.script(READ, [String(reads.length), ...reads.flat()]);
    const [log, cursor, ...answers] = reply as readonly Reply[];
    const position = { log: String(log), cursor: Number(cursor) };
    this.parts.noteHead(position);
    return { position, answers };
  }

  /** One command that only reads. @throws as above */
  command(args: readonly string[]): Promise<Reply> {
    return this.answered(({ life }) => life.reads.send(args));
  }

  /** A script that only reads, with what says which store it is for. @throws as above */
  script(script: Script, args: readonly string[]): Promise<Reply> {
    return this.answered(({ life, store }) => life.reads.run(script, KEYS.meta, forStore(store, args)));
  }

  private async answered(ask: (linked: Linked) => Promise<Reply>): Promise<Reply> {
    const linked = this.parts.link.get();
    try {
      return await ask(linked);
    } catch (error) {
      const [failure, why] = [failureOf(error), saidPlainly(error)];
      if (failure === "fault") throw error;
      if (failure === "elsewhere") this.parts.link.over(linked.life, why);
      throw new StoreUnwritable(why);
    }
  }
}

/** Bounds of `ids`, as ZRANGE BYLEX has them. */
export const LEX = {
  first: "-",
  last: "+",
  from: (id: string): string => `[${id}`,
  after: (id: string): string => `(${id}`,
  before: (id: string): string => `(${id}`,
  upTo: (id: string): string => `[${id}`,
} as const;

const SESSION_PREFIX = keyOf.session("");
/** The hashes of the sessions that the read before named: with all their rows. */
export const RECORDS_OF: Read = ["of", SESSION_PREFIX, "1"];
/** The same without rows. */
export const SESSIONS_OF: Read = ["of", SESSION_PREFIX, "0"];

export const strings = (reply: Reply | undefined): readonly string[] => (reply ?? []) as readonly string[];
/** Of what the server gives as names and values in turn. */
export function pairsIn(flat: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] ?? "", flat[i + 1] ?? ""]);
  return pairs;
}
export const lists = (reply: Reply | undefined): readonly (readonly string[])[] =>
  (reply ?? []) as readonly (readonly string[])[];
