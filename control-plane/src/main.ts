// The control plane's process: reads the environment, builds everything, starts it, and stops it in order.
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Logger as PinoLogger } from "pino";

import { LiveSessions } from "./app/live-sessions.js";
import { NoPolicyError, PolicyService } from "./app/policy-service.js";
import type { Clock, Random } from "./app/ports.js";
import { Rollout } from "./app/rollout.js";
import { pushedPolicyJson } from "./domain/policy/judge.js";
import { readPolicyDocument } from "./domain/policy/read-policy.js";
import { makeToken } from "./domain/token.js";
import { Metrics } from "./http/metrics.js";
import { buildHttpServer } from "./http/server.js";
import { createLog } from "./log.js";
import { readSettings } from "./settings.js";
import type { Settings } from "./settings.js";
import { LmdbStore } from "./store/lmdb.js";
import { policyFile } from "./store/policy-file.js";
import { startXdsServer } from "./xds/server.js";

const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const random: Random = { bytes: (n) => randomBytes(n) };

/** What keeps the process from starting, in one sentence for the operator. */
class StartFailure extends Error {}

/** Undoes, in reverse, what has been started. */
class Started {
  private readonly undo: (() => Promise<void> | void)[] = [];

  add(undo: () => Promise<void> | void): void {
    this.undo.push(undo);
  }

  async stop(): Promise<void> {
    for (let undo = this.undo.pop(); undo !== undefined; undo = this.undo.pop()) await undo();
  }
}

async function start(settings: Settings, log: PinoLogger, started: Started): Promise<void> {
  const store = await LmdbStore.open(settings.dataDir, random).catch((error: unknown) => {
    throw new StartFailure(`the store in ${settings.dataDir} (SLUICE_DATA_DIR) cannot be opened: ${text(error)}`);
  });
  started.add(() => store.close());

  const source = policyFile(settings.policyPath);
  const judge = { readPolicyDocument, pushedPolicyJson };
  const policies = await PolicyService.start({ source, judge, store, sessions: store, clock, logger: log });
  started.add(() => {
    policies.stop();
  });

  const live = new LiveSessions(store, policies, clock);
  const metrics = new Metrics(() => live.byPlan());
  const { keys, keysAlso } = settings;
  const edgeCredentials = [keys, keysAlso].flatMap((one) => (one === undefined ? [] : [one.edgeCredential]));

  const http = await buildHttpServer({
    ports: {
      store,
      policies,
      clock,
      random,
      logger: log,
      meter: metrics,
      makeToken: (sessionId, planId) => makeToken({ sessionId, planId }, keys),
    },
    metrics,
    log,
    adminTokens: [settings.adminToken],
    edgeCredentials,
  });
  started.add(() => http.close());
  await http.listen(settings.http).catch((error: unknown) => {
    throw new StartFailure(bindSentence(settings.http, "SLUICE_HTTP", error));
  });

  const xds = await startXdsServer({
    ...settings.xds,
    policies,
    rollout: new Rollout(clock),
    edgeCredentials,
    filterPath: settings.filterPath,
    logger: log,
    random,
    counters: metrics,
  }).catch((error: unknown) => {
    throw new StartFailure(bindSentence(settings.xds, "SLUICE_XDS", error));
  });
  started.add(() => xds.close());

  const bound = { type: "listening", http: http.addresses(), xds: { address: settings.xds.host, port: xds.port } };
  log.info(bound, "the control plane is listening");
}

/** gRPC wraps the system's code in its text, so the text is what is searched. */
function bindSentence({ host, port }: { host: string; port: number }, setting: string, error: unknown): string {
  const address = `${host}:${port}`;
  if (text(error).includes("EADDRINUSE")) {
    return `${address} is already in use: stop what listens there, or set ${setting}_PORT to another port`;
  }
  return `cannot listen on ${address} (${setting}_HOST, ${setting}_PORT): ${text(error)}`;
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function refuseToStart(...sentences: string[]): void {
  for (const sentence of sentences) process.stderr.write(`sluice control plane: ${sentence}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  if ("faults" in settings) {
    refuseToStart(...settings.faults);
    return;
  }
  const log = createLog(settings.logLevel);
  const started = new Started();
  try {
    await start(settings, log, started);
  } catch (error) {
    await started.stop();
    if (!(error instanceof StartFailure || error instanceof NoPolicyError)) throw error;
    refuseToStart(error.message);
    return;
  }
  const stop = (signal: NodeJS.Signals): void => {
    // A second signal finds no listener and ends the process at once.
    process.off("SIGTERM", stop).off("SIGINT", stop);
    log.info({ type: "stopping", signal }, "stopping");
    void started.stop();
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
}

await main();
