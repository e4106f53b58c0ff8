// Load over HTTP/1.1: keep-alive connections of raw sockets, one request at a time on each, as light as Node allows.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const HOST = "127.0.0.1";
const HEAD_END = "\r\n\r\n";
const STATUS = /^HTTP\/1\.1 (\d{3})/;
const CHUNKED = /\r\ntransfer-encoding: chunked/i;
const LAST_CHUNK = "\r\n0\r\n\r\n";
const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;

/** One request, whole: head and body. */
export function requestText(method: string, path: string, headers: Record<string, string>, body = ""): string {
  const all = { host: HOST, ...headers, ...(body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) }) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

export interface Load {
  readonly requests: number;
  /** The next request to be sent, whole. */
  readonly next: () => string;
  /** Any other status ends the benchmark: it would measure something else. */
  readonly status: number;
  /** Of each answer, its body: bytes as characters. */
  readonly answered?: (body: string) => void;
}

export interface LoadResult {
  readonly wallMs: number;
  readonly latenciesMs: number[];
}

/** Connections that stay open from load to load. */
export class Connections {
  private constructor(private readonly all: readonly Connection[]) {}

  /** @param ports of servers that share the load: each has every so manieth connection */
  static async open(ports: number | readonly number[], count: number): Promise<Connections> {
    const all = [ports].flat();
    const opened = Array.from({ length: count }, (_, i) => Connection.open(all[i % all.length] ?? 0));
    return new Connections(await Promise.all(opened));
  }

  /** As many requests under way as there are connections, until all are answered. */
  async drive({ requests, next, status, answered: take }: Load): Promise<LoadResult> {
    const latenciesMs: number[] = [];
    let left = requests;
    const startedMs = performance.now();
    await Promise.all(
      this.all.map(async (connection) => {
        while (left-- > 0) {
          const sentMs = performance.now();
          const answer = await connection.ask(next());
          latenciesMs.push(performance.now() - sentMs);
          if (answer.status !== status) {
            throw new Error(`a request was answered with ${answer.status} instead of ${status}: ${answer.body}`);
          }
          take?.(answer.body);
        }
      }),
    );
    return { wallMs: performance.now() - startedMs, latenciesMs };
  }

  close(): void {
    for (const connection of this.all) connection.close();
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

class Connection {
  private received = "";
  private waiting: { done: (answer: Answer) => void; failed: (error: Error) => void } | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    // Bytes as characters: lengths are those of the wire.
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      this.take(chunk);
    });
    const broken = (error?: Error): void => {
      this.waiting?.failed(error ?? new Error(`the server closed a connection, having said "${this.received}"`));
    };
    socket.on("error", broken);
    socket.on("close", () => {
      broken();
    });
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, HOST);
    await once(socket, "connect");
    return new Connection(socket);
  }

  ask(request: string): Promise<Answer> {
    return new Promise((done, failed) => {
      this.waiting = { done, failed };
      this.socket.write(request);
    });
  }

  close(): void {
    this.waiting = undefined;
    this.socket.destroy();
  }

  private take(chunk: string): void {
    this.received += chunk;
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.received.slice(0, headEnd);
    const end = endOfBody(this.received, head, headEnd + HEAD_END.length);
    if (end > this.received.length) return;
    const body = this.received.slice(headEnd + HEAD_END.length, end);
    this.received = this.received.slice(end);
    this.waiting?.done({ status: Number(STATUS.exec(head)?.[1]), body });
  }
}

/** Infinity where it is not known yet. A chunked body must not hold what looks like its end. */
function endOfBody(received: string, head: string, bodyAt: number): number {
  if (!CHUNKED.test(head)) return bodyAt + Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
  const last = received.indexOf(LAST_CHUNK, bodyAt);
  return last < 0 ? Infinity : last + LAST_CHUNK.length;
}
