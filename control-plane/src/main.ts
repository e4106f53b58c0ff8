// The control plane's process: reads the environment, starts the control plane, and stops it in order.
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";

import type { Timers } from "./app/ports/log-ports.js";
import type { Clock, Random } from "./app/ports/ports.js";
import { NoPolicyError } from "./app/policy/policy-steps.js";
import { startControlPlane } from "./control-plane.js";
import { createLog } from "./log.js";
import { replacedSettings } from "./settings/replaced-settings.js";
import { readSettings } from "./settings/settings.js";
import { StartFailure, messageOf } from "./start-failure.js";
import { Started } from "./started.js";

const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const timers: Timers = {
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
const random: Random = { bytes: (n) => randomBytes(n) };

/** A thread of LMDB may hang, and an exit in order would wait for it. What was acknowledged is on the disk. */
const end = (): void => void process.kill(process.pid, "SIGKILL");

function failToStart(...sentences: string[]): void {
  for (const sentence of sentences) process.stderr.write(`sluice control plane: ${sentence}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  if ("violations" in settings) {
    failToStart(...settings.violations);
    return;
  }
  const log = createLog(settings.logLevel);
  const replaced = replacedSettings(process.env);
  if (replaced !== undefined) log.warn({ type: "settings-replaced" }, replaced);
  const started = new Started();
  try {
    await startControlPlane({ settings, log, clock, timers, random, started, end });
  } catch (error) {
    await started.stop();
    if (!(error instanceof StartFailure || error instanceof NoPolicyError)) throw error;
    failToStart(error.message);
    return;
  }
  const stop = (signal: NodeJS.Signals): void => {
    // A second signal finds no listener and ends the process at once.
    process.off("SIGTERM", stop).off("SIGINT", stop);
    log.info({ type: "stopping", signal }, "stopping");
    void started.stop().then(
      // What a hanging peer keeps open is no reason to stay.
      () => process.exit(),
      (error: unknown) => {
        log.error({ type: "stop-failed", error: messageOf(error) }, "stopping failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
}

await main();
