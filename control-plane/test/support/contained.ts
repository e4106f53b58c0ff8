// Processes that have number 1 in a namespace of their own, as in a container.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { TestContext } from "vitest";

import { notRun } from "../../../scripts/test/not-run.js";

/** The command that another one is run by. */
export const CONTAINED = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

export function needsNamespaces(context: TestContext): void {
  const [program = "", ...options] = CONTAINED;
  const { status } = spawnSync(program, [...options, "true"]);
  if (status !== 0) notRun(context, "no process namespace can be made here");
}

/** Its number out here. */
export function firstChildOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
}
