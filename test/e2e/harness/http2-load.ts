// Load over HTTP/2: several connections, several requests in flight on each, every answer counted.
import { once } from "node:events";
import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from "node:http2";
import { DecisionTimes } from "./decision-times.js";

export interface Load {
  readonly connections: readonly ClientHttp2Session[];
  /** Requests under way at a time on each connection. */
  readonly inFlight: number;
  /** Headers of the next request; null ends the load. */
  readonly next: () => OutgoingHttpHeaders | null;
}

export interface LoadResult {
  /** Answers by status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** What became of requests that got no answer; empty if none did. */
  readonly failures: readonly string[];
  readonly times: DecisionTimes;
}

export async function openHttp2(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, "connect");
  // What breaks a connection breaks its requests too, and is counted there.
  session.on("error", () => undefined);
  return session;
}

/** Resolves when `next` has said null and every request has come to its end. */
export async function drive({ connections, inFlight, next }: Load): Promise<LoadResult> {
  const statuses: Record<number, number> = {};
  const failures: string[] = [];
  const times = new DecisionTimes();
  const one = async (session: ClientHttp2Session): Promise<void> => {
    for (let headers = next(); headers !== null; headers = next()) {
      const sentMs = performance.now();
      try {
        const status = await ask(session, headers);
        statuses[status] = (statuses[status] ?? 0) + 1;
        times.add({ sentMs, answeredMs: performance.now() });
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  };
  await Promise.all(connections.flatMap((session) => Array.from({ length: inFlight }, () => one(session))));
  return { statuses, failures, times };
}

/** The same request `count` times. */
export function times(count: number, headers: OutgoingHttpHeaders): () => OutgoingHttpHeaders | null {
  let left = count;
  return () => (left-- > 0 ? headers : null);
}

/** The status of the answer; rejects if there is none, or if it breaks off. */
export function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: true });
    let status = 0;
    stream.on("response", (answer) => (status = answer[":status"] ?? 0));
    stream.on("error", reject);
    stream.on("close", () => {
      if (status !== 0 && stream.rstCode === 0) resolve(status);
      else reject(new Error(`no whole answer (status ${status}, reset code ${stream.rstCode})`));
    });
    stream.resume();
  });
}
