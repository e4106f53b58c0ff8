// npm start: the control plane, a demo service and an Envoy with the filter, in the foreground until Ctrl-C.
import type { SecretFile } from "../../control-plane/src/settings/secret-files.js";
import { describe } from "../failure.js";
import { findEnvoy } from "../get-envoy.js";
import { operatorFiles } from "../operator-files.js";
import { resolved } from "./addresses.js";
import { followPolicyEvents } from "./policy-events.js";
import { requireFree } from "./ports.js";
import { readyLines } from "./ready-lines.js";
import { environmentOf, readSettings, wantedPorts } from "./settings.js";
import { Stack } from "./stack.js";
import { requireAlone } from "./start-alone.js";
import {
  controlPlaneLog,
  demoSession,
  prepare,
  startControlPlane,
  startDemoService,
  startEnvoy,
} from "./start-steps.js";

const END_MS = 100;
const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const stack = new Stack();
let endPolicyEvents = (): void => undefined;
// A terminal's Ctrl-C arrives here, and once more through npm: stopping begins once.
const stopAsked = new Promise<"stop">((resolve) => {
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      resolve("stop");
    });
  }
  // Who read along has gone, as `head` does: nobody knows any more that this runs. On a full disk somebody may.
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") resolve("stop");
  });
});
process.stderr.on("error", () => undefined);

/** Resolves when everything runs; rejects with what went wrong, also when a child that had started dies meanwhile. */
async function bringUp(): Promise<void> {
  const { env, files } = await environmentOf(process.env);
  const settings = await resolved(readSettings(env));
  await warnOfReadable([...files.values()]);
  await requireAlone();
  await requireFree(wantedPorts(settings));
  const envoyBinary = await findEnvoy(say);
  const launch = await prepare({ settings, envoyBinary, env, secretFiles: files });
  say(`starting; output goes to ${launch.logDir}`);
  await startDemoService(stack, launch);
  await startControlPlane(stack, launch);
  endPolicyEvents = followPolicyEvents(controlPlaneLog(launch), say);
  await startEnvoy(stack, launch);
  const { token } = await demoSession(launch);
  for (const line of readyLines(launch, token)) console.log(line);
}

async function warnOfReadable(files: readonly SecretFile[]): Promise<void> {
  for (const { variable, path } of files) {
    if (await operatorFiles.isWorldReadable(path)) {
      say(`${variable}: every user of this machine may read ${path}: take that away (chmod o-r)`);
    }
  }
}

function say(line: string): void {
  console.log(`sluice: ${line}`);
}

/** Rejects when a child dies that nobody stopped. */
const childLost = new Promise<never>((_, reject) => {
  stack.lost.addEventListener("abort", () => {
    reject(stack.lost.reason as Error);
  });
});

const running = bringUp();
try {
  const outcome = await Promise.race([running, stopAsked, childLost]);
  if (outcome !== "stop") await Promise.race([stopAsked, childLost]);
  say("stopping");
} catch (error) {
  console.error(`sluice: ${describe(error)}`);
  process.exitCode = 1;
}
endPolicyEvents();
await stack.stop();
// Node would wait for ever for a reading that hangs.
if (!(await operatorFiles.end(END_MS))) process.kill(process.pid, "SIGKILL");
// A step that was under way when the stop came has nothing left to do.
process.exit();
