// Finds Prometheus and its tools for the tests: PATH, the project's cache, and last Debian's packages, unpacked into that cache.
// Where one cannot be had, the tests that need it are named as not run.
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { unpackFile } from "./debian-package.js";

/** By what its makers call it. */
export type MonitoringProgram = "prometheus" | "promtool" | "amtool";

export interface PrometheusSearch {
  env: Readonly<Record<string, string | undefined>>;
  /** Holds each program under its name; nothing is installed elsewhere. */
  cacheDir: string;
}

export type FoundProgram = { readonly binary: string } | { readonly reason: string };

const PACKAGES: Readonly<Record<MonitoringProgram, string>> = {
  prometheus: "prometheus",
  promtool: "prometheus",
  amtool: "prometheus-alertmanager",
};

export function findProgram(program: MonitoringProgram): Promise<FoundProgram> {
  return searchProgram(program, { env: process.env, cacheDir: join(projectRoot, ".cache") });
}

/** `findProgram` with its surroundings passed in. */
export async function searchProgram(
  program: MonitoringProgram,
  { env, cacheDir }: PrometheusSearch,
): Promise<FoundProgram> {
  const cached = join(cacheDir, program);
  for (const binary of [program, cached]) if (await runs(binary, env)) return { binary };
  const path = new RegExp(`^usr/bin/${program}$`);
  const reason = await unpackFile({ packageName: PACKAGES[program], path, target: cached, env });
  if (reason !== undefined) return { reason: `no ${program} on PATH, and ${reason}` };
  return (await runs(cached, env))
    ? { binary: cached }
    : { reason: `the ${program} of Debian's package does not run here` };
}

async function runs(binary: string, env: PrometheusSearch["env"]): Promise<boolean> {
  return (await runCommand(binary, ["--version"], { env })).code === 0;
}
