// The completion of command lines, asked of the shells themselves.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TestContext } from "vitest";

import { projectRoot } from "../../../scripts/project-root.js";
import { runCommand } from "../../../scripts/run-command.js";
import { unpackWithDependencies } from "../../../scripts/test/debian-package.js";
import { notRun } from "../../../scripts/test/not-run.js";
import { GENERAL_OPTIONS } from "../../../control-plane/src/cli/command.js";
import { COMMANDS } from "../../../control-plane/src/cli/commands.js";
import { sluice } from "../../../control-plane/test/support/cli.js";
import { temporaryFolder } from "../../../control-plane/test/support/process.js";

/** The words of the line up to the cursor; the last one is being typed. */
type Complete = (words: readonly string[], context: TestContext) => Promise<string[]>;

interface Shell {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
}

/** This machine's, or one that is unpacked beside it. */
async function shell(name: string, context: TestContext): Promise<Shell> {
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

async function lines({ command, env }: Shell, args: readonly string[], cwd?: string): Promise<string[]> {
  const ran = await runCommand(command, args, { env, ...(cwd !== undefined && { cwd }) });
  expect(ran.stderr).toBe("");
  return ran.stdout.split("\n").filter((line) => line !== "");
}

/** A folder with the shell's script, and two files to complete. */
async function folderWith(name: string): Promise<string> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "script"), (await sluice(`completion ${name}`)).out);
  writeFileSync(join(folder, "policy.yaml"), "");
  return folder;
}

const inBash: Complete = async (words) => {
  const folder = await folderWith("bash");
  const line = `source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return lines({ command: "bash", env: process.env }, ["--norc", "-c", line, "bash", "sluice", ...words], folder);
};

/** The functions of zsh's completion are stood in for by ones that print what they are given, and what fits. */
const inZsh: Complete = async (words, context) => {
  const folder = await folderWith("zsh");
  // A zsh that was unpacked elsewhere does not find its own modules.
  const line = `module_path=(${join(projectRoot, ".cache/zsh/usr/lib")}/*/zsh/*(N) $module_path)
compdef() { : }
_describe() { print -l -- \${\${(P)2}%%:*} | grep -- "^\${words[CURRENT]}" }
_files() { print -l -- \${words[CURRENT]}*(N) }
source ./script; words=("$@"); CURRENT=$#; _sluice; true`;
  return lines(await shell("zsh", context), ["-f", "-c", line, "zsh", "sluice", ...words], folder);
};

const inFish: Complete = async (words, context) => {
  const folder = await folderWith("fish");
  const found = await shell("fish", context);
  const env = { ...found.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, LC_ALL: "C.UTF-8" };
  const line = `source ./script; complete -C "sluice ${words.join(" ")}"`;
  const said = await lines({ ...found, env }, ["--no-config", "-c", line], folder);
  return said.map((one) => one.split("\t")[0] ?? "");
};

const SHELLS: readonly (readonly [string, Complete])[] = [
  ["bash", inBash],
  ["zsh", inZsh],
  ["fish", inFish],
];

describe.each(SHELLS)("completion in %s", (name, complete) => {
  it(`${name} completes every command, word by word`, async (context) => {
    const names = COMMANDS.map((command) => command.name.split(" "));
    const firsts = [...new Set(names.map(([first]) => first)), "help"];
    expect((await complete([""], context)).sort()).toEqual(firsts.sort());
    for (const group of new Set(names.filter((words) => words.length > 1).map(([first = ""]) => first))) {
      const seconds = names
        .filter(([first, second]) => first === group && second !== undefined)
        .map((words) => words[1]);
      expect((await complete([group, ""], context)).sort(), group).toEqual(seconds.sort());
    }
    expect(await complete(["--timeout", "3", "session", "cr"], context)).toEqual(["create"]);
    expect(await complete(["help", "session", "cr"], context)).toEqual(["create"]);
    expect(await complete(["help", "exit"], context)).toEqual(["exit-codes"]);
  });

  it(`${name} completes the options of a command, and of no other`, async (context) => {
    for (const words of [
      ["session", "list"],
      ["usage", "some-id"],
    ]) {
      const command = COMMANDS.find((one) => words.join(" ").startsWith(one.name));
      const options = Object.keys({ ...command?.options, ...GENERAL_OPTIONS }).map((option) => `--${option}`);
      expect((await complete([...words, "--"], context)).filter((one) => one.startsWith("--")).sort()).toEqual(
        options.sort(),
      );
    }
  });

  it(`${name} completes the values that are known, and files`, async (context) => {
    expect(await complete(["session", "list", "--state", "re"], context)).toEqual(["revoked"]);
    expect((await complete(["edges", "-o", ""], context)).sort()).toEqual(["json", "text"]);
    expect(await complete(["completion", "f"], context)).toEqual(["fish"]);
    expect(await complete(["policy", "check", "pol"], context)).toEqual(["policy.yaml"]);
    expect(await complete(["edges", "--token-file", "pol"], context)).toEqual(["policy.yaml"]);
    expect(await complete(["session", "list", "--user", "pol"], context)).toEqual([]);
  });
});
