// An Envoy without a policy in its settings that starts beside a running control plane, under load from the moment at
// which it listens: up to which rate it answers no request with 503.
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../../scripts/failure.js";
import { MeasuredPlane } from "./measured-plane.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { edgePlan, type PropagationStack } from "./propagation-stack.js";
import { startProcess } from "../../../scripts/start/supervised-process.js";

const RATES_PER_SECOND = [500, 1000, 2000, 4000, 8000];
const ROUNDS = 3;
const LOADED_MS = 3000;
const SESSIONS = 200;
const CONNECTIONS = 8;
const LISTENS_WITHIN_MS = 30_000;

interface Answers {
  sent: number;
  loadedMs: number;
  unavailable: number;
  /** Of no answer, and of any status but 200 and 503. */
  other: number;
  longestMs: number;
}

export async function measureFirstMoments(running: PropagationStack): Promise<void> {
  const plane = new MeasuredPlane(running);
  const tokens = await Promise.all(Array.from({ length: SESSIONS }, () => plane.token()));
  console.log(
    `\n| requests a second wanted, of ${SESSIONS} sessions | sent a second | requests | 503 | other | longest ms |`,
  );
  console.log("| ---: | ---: | ---: | ---: | ---: | ---: |");
  for (const rate of RATES_PER_SECOND) {
    for (let round = 0; round < ROUNDS; round++) {
      const { sent, loadedMs, unavailable, other, longestMs } = await firstMoment(running, rate, tokens, round);
      const perSecond = ((1000 * sent) / loadedMs).toFixed(0);
      console.log(`| ${[rate, perSecond, sent, unavailable, other, longestMs.toFixed(0)].join(" | ")} |`);
    }
  }
}

async function firstMoment(
  { edgeSetup }: PropagationStack,
  rate: number,
  tokens: readonly string[],
  round: number,
): Promise<Answers> {
  const [proxy = 0, admin = 0] = await freePorts(2);
  const envoy = await startProcess(await edgePlan(edgeSetup, `starts-${rate}-${round}`, proxy, admin));
  try {
    const connections = [await listening(proxy)];
    while (connections.length < CONNECTIONS) connections.push(await opened(proxy));
    const answers = await load(connections, rate, tokens);
    for (const connection of connections) connection.close();
    return answers;
  } finally {
    await envoy.stop();
  }
}

async function listening(port: number): Promise<ClientHttp2Session> {
  const end = performance.now() + LISTENS_WITHIN_MS;
  for (;;) {
    try {
      return await opened(port);
    } catch {
      if (performance.now() > end) throw new Failure("Envoy does not listen");
      await delay(2);
    }
  }
}

async function opened(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined);
  await once(session, "connect");
  return session;
}

async function load(
  connections: readonly ClientHttp2Session[],
  rate: number,
  tokens: readonly string[],
): Promise<Answers> {
  const answers: Answers = { sent: 0, loadedMs: 0, unavailable: 0, other: 0, longestMs: 0 };
  const under: Promise<void>[] = [];
  const startedMs = performance.now();
  while (answers.loadedMs < LOADED_MS) {
    for (; answers.sent < (rate * answers.loadedMs) / 1000; answers.sent++) {
      const connection = connections[answers.sent % connections.length];
      if (connection !== undefined) under.push(ask(connection, tokens[answers.sent % tokens.length] ?? "", answers));
    }
    await delay(1);
    answers.loadedMs = performance.now() - startedMs;
  }
  await Promise.all(under);
  return answers;
}

function ask(connection: ClientHttp2Session, token: string, answers: Answers): Promise<void> {
  return new Promise((resolve) => {
    const sentMs = performance.now();
    const stream = connection.request({ "x-session-id": token }, { endStream: true });
    let status = 0;
    stream.on("response", (headers) => (status = headers[":status"] ?? 0));
    stream.on("error", () => undefined);
    stream.on("close", () => {
      answers.longestMs = Math.max(answers.longestMs, performance.now() - sentMs);
      if (status === 503) answers.unavailable++;
      else if (status !== 200) answers.other++;
      resolve();
    });
    stream.resume();
  });
}
