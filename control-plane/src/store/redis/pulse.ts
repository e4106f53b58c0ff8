// A look at the store each second: whether it is still the same life of the same primary, with the same store, how far its
// log has come, and where that has not begun in this life, whether it can now.
import type { Timers } from "../../app/ports/log-ports.js";
import type { LogPosition } from "../../domain/stored.js";
import { infoOf } from "./connection/life.js";
import type { Link, Linked } from "./connection/link.js";
import { isMoved, saidPlainly } from "./connection/reply-errors.js";
import { REDIS_SCHEMA } from "./connection/store-name.js";
import type { Reply } from "./connection/client.js";
import { KEYS } from "./keys.js";
import type { ServerInfo } from "./connection/server-life.js";

const EVERY_MS = 1000;

export interface PulseParts {
  readonly link: Link;
  readonly timers: Timers;
  readonly noteHead: (head: LogPosition) => void;
  readonly noteServer: (info: ServerInfo) => void;
}

export class Pulse {
  private cancel = (): void => undefined;

  constructor(private readonly parts: PulseParts) {
    this.next();
  }

  stop(): void {
    this.cancel();
    this.cancel = () => undefined;
  }

  private async look(): Promise<void> {
    const { link, noteHead, noteServer } = this.parts;
    if (link.reason() !== undefined) return;
    const linked = link.get();
    try {
      const [info, meta] = await Promise.all([
        infoOf(linked.life.reads),
        linked.life.reads.send(["HMGET", KEYS.meta, "schema", "store", "log", "cursor"]),
      ]);
      const [schema, store, log, cursor] = meta as readonly Reply[];
      const why = whyOver(linked, info, schema, store);
      if (why !== undefined) link.over(linked.life, why);
      else {
        noteServer(info);
        noteHead({ log: String(log), cursor: Number(cursor) });
        await link.begin();
      }
    } catch (error) {
      // A connection that has ended says so itself.
      if (isMoved(error)) link.over(linked.life, saidPlainly(error));
    }
  }

  private next(): void {
    this.cancel = this.parts.timers.after(EVERY_MS, () => {
      void this.look();
      this.next();
    });
  }
}

function whyOver(
  { life, store }: Linked,
  info: ServerInfo,
  schemaNow: Reply | undefined,
  storeNow: Reply | undefined,
): string | undefined {
  if (!info.isPrimary) return "it has become a replica";
  if (info.life !== life.info.life) return "it writes another history now";
  if (storeNow !== store) return "it does not hold the store any more";
  if (schemaNow !== String(REDIS_SCHEMA)) return `its schema is ${String(schemaNow)} now`;
  return undefined;
}
