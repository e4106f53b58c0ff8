// The control plane's process: reads the environment, starts the control plane, and stops it in order.
import { randomBytes } from "node:crypto";
import { constants } from "node:os";
import { performance } from "node:perf_hooks";
import type { Logger } from "pino";

import type { Clock, Random } from "./app/ports/ports.js";
import { NoPolicyError } from "./app/policy/policy-steps.js";
import { startControlPlane } from "./control-plane.js";
import { messageOf } from "./domain/message-of.js";
import { FileReader } from "./files/file-reader.js";
import { nodeTimers as timers } from "./files/node-timers.js";
import { LogFloods } from "./log-floods.js";
import { LogOutput } from "./log-output.js";
import { createLog } from "./log.js";
import { LOST_LINES } from "./http/status/log-metrics.js";
import { given } from "./settings/environment.js";
import { replacedSettings } from "./settings/replaced-settings.js";
import { readSecretFiles } from "./settings/secret-files.js";
import type { SecretFile } from "./settings/secret-files.js";
import type { LogLevel } from "./settings/settings-reader.js";
import { readSettings } from "./settings/settings.js";
import { unusedFolder } from "./settings/store-address.js";
import { clientOf } from "./store/store-address.js";
import type { Settings } from "./settings/settings.js";
import { EXIT, StartFailure } from "./start-failure.js";
import { Started } from "./started.js";
import { RequestScopes } from "./tracing/request-scopes.js";

const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const random: Random = { bytes: (n) => randomBytes(n) };

/** A thread of LMDB may hang, and an exit in order would wait for it. What was acknowledged is on the disk. */
function end(): void {
  process.kill(process.pid, "SIGKILL");
  // As process 1 of a container, which no signal of its own ends.
  process.abort();
}

const STDOUT = 1;
const STDERR = 2;
/** What is left for readings and for a slow reader of the log, at the end. */
const END_MS = 500;

const started = new Started();
const requests = new RequestScopes();
const reader = (): FileReader => new FileReader({ timers });
const files = { secrets: reader(), policy: reader(), tls: reader(), issuers: reader() };
const output = new LogOutput(STDOUT);
const complaints = new LogOutput(STDERR);
const floods = new LogFloods(timers);

function complain(sentence: string): void {
  complaints.write(`sluice control plane: ${sentence}\n`);
}

/**
 * Ends the process. Where a file system hangs, or LMDB does, Node would wait for its thread for ever: then a signal does it, and as
 * process 1 of a container, which no signal of its own ends, an abort.
 */
async function leave(code: number, signal: NodeJS.Signals): Promise<void> {
  floods.end();
  const ended = await Promise.all(Object.values(files).map((one) => one.end(END_MS)));
  await Promise.all([output.end(END_MS), complaints.end(END_MS)]);
  if (ended.every(Boolean) && !started.isHanging()) process.exit(code);
  process.kill(process.pid, signal);
  setTimeout(() => {
    process.abort();
  }, END_MS);
}

function logOf(level: LogLevel): Logger {
  const log = createLog(level, output, floods, () => requests.ids());
  output.events = {
    losing: (reason) => {
      complain(`the log cannot be written (${reason}): lines are lost, and counted by ${LOST_LINES}`);
    },
    writing: (lost) => {
      log.warn({ event: "log-lines-lost", lost }, "lines of the log were lost before this one");
    },
  };
  return log;
}

/**
 * To be called before the start, which may take its time: as process 1 of a container a signal without a listener is lost.
 * Returns how to say that it is over.
 */
function stopOnSignals(logNow: () => Logger | undefined): () => void {
  let isStarting = true;
  const stop = (signal: "SIGTERM" | "SIGINT"): void => {
    // A second signal finds no listener and ends the process at once.
    process.off("SIGTERM", stop).off("SIGINT", stop);
    const log = logNow();
    log?.info({ event: "stopping", signal }, "stopping");
    // Nothing is acknowledged yet, and what is being started cannot be undone in order.
    const left = isStarting
      ? leave(128 + constants.signals[signal], signal)
      : // What a hanging peer keeps open is no reason to stay.
        started.stop().then(() => leave(0, signal));
    left.catch((error: unknown) => {
      log?.error({ event: "stop-failed", error: messageOf(error) }, "stopping failed");
      return leave(1, "SIGKILL");
    });
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  return () => {
    isStarting = false;
  };
}

/** Said and gone on with: who else has an account on this machine is not known here. */
async function warnOfReadable(secretFiles: readonly SecretFile[], log: Logger): Promise<void> {
  for (const { variable, path } of secretFiles) {
    if (!(await files.secrets.isWorldReadable(path))) continue;
    const fields = { event: "secret-world-readable", variable, path };
    log.warn(fields, `${variable}: every user of this machine may read ${path}: take that away (chmod o-r)`);
  }
}

async function main(): Promise<void> {
  const made: { log?: Logger } = {};
  const isUp = stopOnSignals(() => made.log);
  const secrets = await readSecretFiles(process.env, (path, maxBytes) => files.secrets.read(path, maxBytes));
  const settings = readSettings(secrets.env, secrets);
  if ("violations" in settings) {
    for (const sentence of settings.violations) complain(sentence);
    return leave(EXIT.config, "SIGKILL");
  }
  made.log = logOf(settings.logLevel);
  await run(settings, [...secrets.files.values()], made.log, isUp);
}

async function run(
  settings: Settings,
  secretFiles: readonly SecretFile[],
  log: Logger,
  isUp: () => void,
): Promise<void> {
  // No one's terminal is asked for, and there is no file to open anew: the files are followed anyway.
  process.on("SIGHUP", () => {
    log.info({ event: "signal-ignored", signal: "SIGHUP" }, "SIGHUP is ignored");
  });
  const replaced = replacedSettings(process.env);
  if (replaced !== undefined) log.warn({ event: "settings-replaced" }, replaced);
  const unused = unusedFolder(settings.store, given(process.env, "SLUICE_DATA_DIR"));
  if (unused !== undefined) log.info({ event: "data-folder-unused" }, unused);
  const { tls } = settings.http;
  const keys = [tls?.key, clientOf(settings.store)?.key].filter((one) => one !== undefined);
  await warnOfReadable([...secretFiles, ...keys], log);
  try {
    const lostLines = (): number => output.lost;
    await startControlPlane({ settings, files, log, lostLines, clock, timers, random, started, requests, end });
    isUp();
  } catch (error) {
    await started.stop();
    if (!(error instanceof StartFailure || error instanceof NoPolicyError)) throw error;
    complain(error.message);
    return leave(error instanceof StartFailure ? error.exit : EXIT.config, "SIGKILL");
  }
}

await main();
