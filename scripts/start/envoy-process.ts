// How an Envoy with the filter is run: its flags, and an environment that holds what it needs and nothing else.
import type { ProcessPlan } from "./supervised-process.js";

export interface EnvoyRun {
  binary: string;
  /** A rendered bootstrap. */
  configFile: string;
  logFile: string;
  /** The installation's secret, as SLUICE_SECRET holds it. */
  secret: string;
  secretAlso?: string | undefined;
  /** Workers; 2 unless given. */
  concurrency?: number;
  logLevel?: string;
  /** Folder that relative paths of the bootstrap start from. */
  cwd?: string;
}

const DEFAULT_WORKERS = 2;

export function envoyPlan(run: EnvoyRun): ProcessPlan {
  return {
    name: "Envoy",
    command: run.binary,
    // Hot restart would let a second Envoy on this machine take this one for its own former life.
    args: [
      ...["-c", run.configFile],
      ...["--concurrency", String(run.concurrency ?? DEFAULT_WORKERS)],
      ...["--log-level", run.logLevel ?? "info"],
      "--disable-hot-restart",
      // A user who looks into the access log wants to see the last request; the default is 10 s.
      ...["--file-flush-interval-msec", "500"],
    ],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      SLUICE_SECRET: run.secret,
      SLUICE_SECRET_ALSO: run.secretAlso,
    },
    logFile: run.logFile,
    ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
  };
}
