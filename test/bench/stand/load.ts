// Load over HTTP/2: by h2load for one header that is always the same, by Node's own client for many sessions.
import { spawnSync } from "node:child_process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Failure } from "../../../scripts/failure.js";
import { runCommand } from "../../../scripts/run-command.js";
import { Random } from "../../host/harness/host/random.js";
import { ask, drive, openHttp2 } from "../../e2e/harness/http2-load.js";

const CONNECTIONS = 4;
const IN_FLIGHT = 32;
/** Answers wait for as long. */
const LONGEST_SLEEP_MS = 0.1;

/** @throws Failure that says where h2load is to be had */
export function requireH2load(): void {
  if (spawnSync("h2load", ["--version"]).status === 0) return;
  throw new Failure("The benchmark needs h2load: it is in the package nghttp2-client of Debian, nghttp2 of others.");
}

interface Way {
  /** How many are sent in a second; as fast as it goes unless given. */
  readonly perSecond?: number;
  readonly path?: string | undefined;
  /** In place of the one that carries the token. */
  readonly headers?: readonly string[] | undefined;
}

/** `requests` with this session token, or with none. Resolves with the answers by class of status. */
export async function h2load(
  port: number,
  requests: number,
  token: string | null,
  { perSecond, path = "/", headers }: Way = {},
): Promise<Record<string, number>> {
  const pace = perSecond === undefined ? [] : ["--rps", String(perSecond / CONNECTIONS)];
  const sent = headers ?? (token === null ? [] : [`x-session-id: ${token}`]);
  const size = ["-n", String(requests), "-c", String(Math.min(CONNECTIONS, requests)), "-m", String(IN_FLIGHT)];
  const args = [...size, ...pace, ...sent.flatMap((line) => ["-H", line]), `http://127.0.0.1:${port}${path}`];
  const { stdout: out } = await runCommand("h2load", args, { env: process.env });
  const counts = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(out);
  if (counts === null) throw new Failure(`h2load did not tell its status codes:\n${out}`);
  const [, ok = "", moved = "", denied = "", failed = ""] = counts;
  return { "2xx": Number(ok), "3xx": Number(moved), "4xx": Number(denied), "5xx": Number(failed) };
}

/** @throws Failure unless each of the requests was answered with this status, or class of status */
export function requireAll(
  what: string,
  answers: Readonly<Record<string, number>>,
  expected: string,
  requests: number,
): void {
  if (answers[expected] === requests) return;
  throw new Failure(`${what}: expected ${requests} answers ${expected}, got ${JSON.stringify(answers)}.`);
}

/** `requests` whose tokens `next` gives. Resolves with the answers by status; rejects if one got none. */
export async function manySessions(
  port: number,
  requests: number,
  next: () => string,
): Promise<Readonly<Record<number, number>>> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => openHttp2(port)));
  let left = requests;
  const headers = () => (left-- > 0 ? { "x-session-id": next() } : null);
  const { statuses, failures } = await drive({ connections, inFlight: IN_FLIGHT, next: headers });
  for (const connection of connections) connection.close();
  if (failures[0] !== undefined) throw new Failure(`${failures.length} requests got no answer: ${failures[0]}`);
  return statuses;
}

/**
 * `requests` of one session, each on one of the connections and at a time that knows nothing of the others (a Poisson
 * process): h2load sends what is due in bursts on all connections at once. Who is late makes up for nothing, so the pace
 * may be lower. Resolves with the answers by status; a request without an answer is in none.
 */
export async function atRandom(
  port: number,
  requests: number,
  token: string,
  perSecond: number,
): Promise<Readonly<Record<number, number>>> {
  const random = new Random(1);
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => openHttp2(port)));
  const headers = { "x-session-id": token };
  const statuses: Record<number, number> = {};
  const answers: Promise<void>[] = [];
  for (let sent = 0; sent < requests; sent++) {
    await passed((-1000 * Math.log(1 - random.fraction())) / perSecond);
    const answered = ask(random.pick(connections), headers).then(
      (status) => void (statuses[status] = (statuses[status] ?? 0) + 1),
      () => undefined,
    );
    answers.push(answered);
  }
  await Promise.all(answers);
  for (const connection of connections) connection.close();
  return statuses;
}

const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps for a part of a millisecond at a time, which timers cannot: a wait awake would take a worker's core. */
async function passed(ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (let left = ms; left > 0; left = end - performance.now()) {
    Atomics.wait(nobodyWakes, 0, 0, Math.min(left, LONGEST_SLEEP_MS));
    await nextTurn();
  }
}
