// The connections to one life of one server, and what it held when they were made.
import type { Timers } from "../../../app/ports/log-ports.js";
import { KEYS, WAKE_CHANNEL } from "../keys.js";
import type { RedisAddress, ServerAddress } from "../../store-address.js";
import { connectTo } from "./client.js";
import type { Connected } from "./client.js";
import { ownerOfSlot, primaryOf } from "./locate.js";
import { INFO_SECTIONS, serverInfoIn } from "./server-life.js";
import type { ServerInfo } from "./server-life.js";
import { tlsOptions } from "./tls-files.js";

export interface Life {
  readonly at: ServerAddress;
  readonly info: ServerInfo;
  /** A write may wait here for replicas, and nobody who reads waits with it. */
  readonly reads: Connected;
  readonly writes: Connected;
  end(): void;
}

export interface LifeParts {
  readonly address: RedisAddress;
  readonly timers: Timers;
  /** Once, where one of the connections ends by itself. */
  readonly ended: (why: Error) => void;
  /** Another process may have written to the log. */
  readonly woken: () => void;
}

/** @throws what keeps it from being made; then nothing is left open */
export async function connectLife(parts: LifeParts, attempt: number): Promise<Life> {
  const made: Connected[] = [];
  let isOver = false;
  const end = (): void => {
    isOver = true;
    for (const one of made) one.end();
  };
  const keep = (one: Connected): Connected => {
    made.push(one);
    // Of two that are made at once the other one may have failed meanwhile.
    if (isOver) one.end();
    return one;
  };
  const ended = (why: Error): void => {
    end();
    parts.ended(why);
  };
  try {
    return await connected(parts, attempt, keep, ended, end);
  } catch (error) {
    end();
    throw error;
  }
}

async function connected(
  { address, timers, woken }: LifeParts,
  attempt: number,
  keep: (one: Connected) => Connected,
  ended: (why: Error) => void,
  end: () => void,
): Promise<Life> {
  const tls = address.tls === null ? null : await tlsOptions(address.tls);
  const connect = async (to: ServerAddress): Promise<Connected> =>
    keep(await connectTo(to, { login: address, tls, database: address.database, timers, ended }));
  let at = await primaryOf(address, tls, attempt, timers);
  let reads = await connect(at);
  let info = await infoOf(reads);
  if (info.isCluster) {
    at = await ownerOfSlot(reads, KEYS.meta, at);
    reads.end();
    reads = await connect(at);
    info = await infoOf(reads);
  }
  if (!info.isPrimary) throw new Error(`${at.host}:${at.port} is a replica`);
  const [writes, wakes] = await Promise.all([connect(at), connect(at)]);
  for (const { life } of await Promise.all([infoOf(writes), infoOf(wakes)])) {
    if (life !== info.life) throw new Error(`${at.host}:${at.port} is now another server`);
  }
  await wakes.subscribe(WAKE_CHANNEL, woken);
  return { at, info, reads, writes, end };
}

export const infoOf = async (connection: Connected): Promise<ServerInfo> =>
  serverInfoIn(String(await connection.send(["INFO", ...INFO_SECTIONS])));
