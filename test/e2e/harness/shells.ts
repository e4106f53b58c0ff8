// Shells that the tests ask what they complete: this machine's own, or unpacked beside it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "vitest";

import { projectRoot } from "../../../scripts/project-root.js";
import { runCommand } from "../../../scripts/run-command.js";
import { unpackWithDependencies } from "../../../scripts/test/debian-package.js";
import { notRun } from "../../../scripts/test/not-run.js";

export interface Shell {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
}

/** This machine's, or one that is unpacked beside it. */
export async function shell(name: string, context: TestContext): Promise<Shell> {
  const found = await runCommand("sh", ["-c", `command -v ${name}`], { env: process.env });
  if (found.code === 0) return { command: name, env: process.env };
  const target = join(projectRoot, ".cache", name);
  const command = ["bin", "usr/bin"].map((folder) => join(target, folder, name));
  const isThere = async (): Promise<string | undefined> => {
    for (const one of command) if ((await runCommand("test", ["-x", one], { env: process.env })).code === 0) return one;
    return undefined;
  };
  if ((await isThere()) === undefined) {
    mkdirSync(join(projectRoot, ".cache"), { recursive: true });
    const failure = await unpackWithDependencies({ packageName: name, target, env: process.env });
    if (failure !== undefined) notRun(context, `${name} is not there: ${failure}`);
  }
  const unpacked = await isThere();
  if (unpacked === undefined) return notRun(context, `${name} is not there: its package has no such program`);
  const libraries = ["x86_64", "aarch64"].flatMap((cpu) =>
    ["usr/lib", "lib"].map((folder) => join(target, folder, `${cpu}-linux-gnu`)),
  );
  return { command: unpacked, env: { ...process.env, LD_LIBRARY_PATH: libraries.join(":") } };
}
