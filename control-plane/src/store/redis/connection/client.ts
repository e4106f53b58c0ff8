// One connection to one server: what is sent on it is answered in time, or the connection is over.
import type { ConnectionOptions } from "node:tls";
import { RedisClient } from "@redis/client";

import type { Timers } from "../../../app/ports/log-ports.js";
import type { ServerAddress } from "../../store-address.js";
import { isNoScript } from "./reply-errors.js";
import type { Script } from "../scripts.js";

export type Reply = null | number | string | readonly Reply[];

/** Longer than any answer of a server that is well; a stall that is longer is taken for a partition. */
export const ANSWER_MS = 3000;
const CONNECT_MS = 2000;
/** About 20 MB with a large policy among them: past it a command is rejected at once. */
const MAX_WAITING = 10_000;

const PROTOCOL = { RESP: 2 } as const;
/** Of one class: `createClient` puts hundreds of commands on a new one for each address, which takes longer than to connect. */
const newClient = RedisClient.factory(PROTOCOL);

export interface Connected {
  send(args: readonly string[]): Promise<Reply>;
  /**
   * @param key the script's first
   * @param further what else it writes to: a cluster's node that does not have all of them turns it away before it has begun
   */
  run(script: Script, key: string, args: readonly string[], further?: readonly string[]): Promise<Reply>;
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  /** Commands under way are rejected. */
  end(): void;
}

/** Null: the default user; nobody is logged in without a password. */
export interface Login {
  readonly username: string | null;
  readonly password: string | null;
}

export interface ConnectParts {
  readonly login: Login;
  /** Null: plain TCP. */
  readonly tls: ConnectionOptions | null;
  readonly database: number;
  readonly timers: Timers;
  /** Called once, where it ends by itself. */
  readonly ended: (why: Error) => void;
}

/** @throws what the server or the network said */
export async function connectTo(
  { host, port }: ServerAddress,
  { login: { username, password }, tls, database, timers, ended }: ConnectParts,
): Promise<Connected> {
  const reach = { host, port, connectTimeout: CONNECT_MS, reconnectStrategy: false as const };
  const client = newClient({
    ...PROTOCOL,
    socket: tls === null ? reach : { ...reach, ...tls, tls: true },
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    database,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_WAITING,
    maintNotifications: "disabled",
    disableClientInfo: true,
  });
  let isOver = false;
  const over = (why: Error): void => {
    if (isOver) return;
    isOver = true;
    client.destroy();
    ended(why);
  };
  client.on("error", over);
  const inTime = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const cancel = timers.after(ANSWER_MS, () => {
        const why = new Error(`it has not answered for ${ANSWER_MS / 1000} s`);
        reject(why);
        over(why);
      });
      answer.then(resolve, reject).finally(cancel);
    });
  const send = (args: readonly string[]): Promise<Reply> => inTime(client.sendCommand<Reply & string>([...args]));
  await connected(client, inTime);
  return {
    send,
    run: async ({ sha, text }, key, args, further = []) => {
      const given = [String(1 + further.length), key, ...further, ...args];
      try {
        return await send(["EVALSHA", sha, ...given]);
      } catch (error) {
        if (!(error instanceof Error) || !isNoScript(error.message)) throw error;
        return send(["EVAL", text, ...given]);
      }
    },
    subscribe: async (channel, listener) => {
      await inTime(client.subscribe(channel, listener));
    },
    end: () => {
      isOver = true;
      if (client.isOpen) client.destroy();
    },
  };
}

async function connected(
  client: { connect(): Promise<unknown>; destroy(): void; readonly isOpen: boolean },
  inTime: <Answer>(answer: Promise<Answer>) => Promise<Answer>,
): Promise<void> {
  try {
    await inTime(client.connect());
  } catch (error) {
    if (client.isOpen) client.destroy();
    throw error;
  }
}
