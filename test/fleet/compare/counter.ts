// The sidecar as a process: one for all Envoys, with one connection to the store.
import { join } from "node:path";

import { projectRoot } from "../../../scripts/project-root.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import { Part } from "../../e2e/harness/part.js";
import type { Bucket } from "../figures/windows.js";
import type { Site } from "../parts/site.js";

const SIDECAR = "build/fleet/test/fleet/compare/sidecar.js";
const READY_TIMEOUT_MS = 30_000;

export interface Counter {
  readonly port: number;
  /** How often it has asked the store. */
  calls(): Promise<number>;
}

/** @param redisPort of the server itself: nothing stands between, and no fault stalls it */
export async function startCounter({ folder, ends }: Site, redisPort: number, bucket: Bucket): Promise<Counter> {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}/`;
  const env = {
    PATH: process.env.PATH,
    COUNTER_PORT: String(port),
    COUNTER_REDIS_PORT: String(redisPort),
    COUNTER_MAX: String(bucket.max),
    COUNTER_PER_SECOND: String(bucket.perSecond),
  };
  const plan = { name: "counter", command: process.execPath, args: [join(projectRoot, SIDECAR)], env };
  const part = new Part({ ...plan, logFile: join(folder, "counter.log") }, (signal) =>
    waitForStatus(url, 200, { timeoutMs: READY_TIMEOUT_MS, signal }),
  );
  await ends.add(() => part.stop());
  await part.start();
  return { port, calls: async () => Number(await (await fetch(url)).text()) };
}
