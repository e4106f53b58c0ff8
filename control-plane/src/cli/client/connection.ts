// One HTTP call to the control plane, over node's own client: http or https, with a deadline.
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

import type { Access } from "./access.js";
import { plainReason } from "./plain-reason.js";
import type { Reason } from "./plain-reason.js";

export interface Call {
  readonly method: string;
  /** From the root of the API, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** For how long the server may hold the call. */
  readonly heldMs: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** No answer. `message` says why, for people. */
export class NoAnswer extends Error {
  constructor(
    message: string,
    /** The system's or TLS's code, TIMEOUT where time ran out. */
    readonly code: string,
    /** What to do about it, where that is clear. */
    readonly hint?: string,
  ) {
    super(message);
  }
}

export interface Connection {
  /** Rejects with NoAnswer. */
  readonly call: (call: Call) => Promise<RawAnswer>;
  readonly close: () => void;
}

/** A page of a thousand sessions is at most about 4 MB. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** @param timeoutMs for each call, its answer included; beside what the server may hold it */
export function connect({ url, tls }: Pick<Access, "url" | "tls">, timeoutMs: number): Connection {
  const isTls = url.protocol === "https:";
  const agent = isTls ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true });
  const request = isTls ? httpsRequest : httpRequest;
  const prefix = url.pathname.replace(/\/+$/, "");
  const call = ({ method, path, headers, body, heldMs }: Call): Promise<RawAnswer> =>
    new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(timeoutMs + heldMs);
      const fail = (error: Error): void => {
        const code = signal.aborted ? "TIMEOUT" : String("code" in error ? error.code : "UNKNOWN");
        const late: Reason = { message: `nothing within ${(timeoutMs + heldMs) / 1000} s` };
        const { message, hint } = signal.aborted ? late : plainReason(error.message || code, code, isTls);
        reject(new NoAnswer(message, code, hint));
      };
      const target = { hostname: url.hostname.replace(/^\[|\]$/g, ""), port: url.port, path: prefix + path };
      const sending = request({ ...target, method, headers, agent, signal }, (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        answer.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) answer.destroy(new Error("the answer is larger than any of this API"));
        });
        answer.on("error", fail);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
        });
      });
      sending.on("error", fail);
      sending.end(body);
    });
  return {
    call,
    close: () => {
      agent.destroy();
    },
  };
}
