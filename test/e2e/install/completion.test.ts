// The completion of command lines, asked of the shells themselves.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TestContext } from "vitest";

import { projectRoot } from "../../../scripts/project-root.js";
import { runCommand } from "../../../scripts/run-command.js";
import { GENERAL_OPTIONS } from "../../../control-plane/src/cli/command.js";
import { COMMANDS } from "../../../control-plane/src/cli/commands.js";
import { sluice } from "../../../control-plane/test/support/cli.js";
import { temporaryFolder } from "../../../control-plane/test/support/process.js";
import { type Shell, shell } from "../harness/shells.js";

/** The words of the line up to the cursor; the last one is being typed. */
type Complete = (words: readonly string[], context: TestContext) => Promise<string[]>;

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

/** As bash has them in COMP_WORDS: --output=json is three. */
const split = (words: readonly string[]): string[] =>
  words.flatMap((word) => word.split(/([=:]+)/).filter((part) => part !== "" || word === ""));

const inBash: Complete = async (words) => {
  const folder = await folderWith("bash");
  const line = `source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return lines(
    { command: "bash", env: process.env },
    ["--norc", "-c", line, "bash", "sluice", ...split(words)],
    folder,
  );
};

/** The functions of zsh's completion are stood in for by ones that print what they are given, and what fits. */
const inZsh: Complete = async (words, context) => {
  const folder = await folderWith("zsh");
  // A zsh that was unpacked elsewhere does not find its own modules.
  const line = `module_path=(${join(projectRoot, ".cache/zsh/usr/lib")}/*/zsh/*(N) $module_path)
compdef() { : }
compset() { words[CURRENT]=\${words[CURRENT]#*=} }
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

it("the completion of bash has nothing that bash 3.2 of macOS does not know", async () => {
  const { out } = await sluice("completion bash");
  expect(out).not.toMatch(
    /\b(mapfile|readarray|coproc|declare -[Ag]|local -[Ang])\b|source <\(|\$\{\w+(,,|\^\^|@)|&>>|\|&/,
  );
});

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
    // Behind = fish names the option too, as it replaces the whole word.
    const value = async (...words: string[]): Promise<string[]> =>
      (await complete(words, context)).map((one) => one.replace(/^--[\w-]+=/, "")).sort();
    expect(await value("session", "list", "--state=re")).toEqual(["revoked"]);
    expect(await value("edges", "--output=")).toEqual(["json", "text"]);
    expect(await value("edges", "--token-file=pol")).toEqual(["policy.yaml"]);
    expect(await value("doctor", "--envoy", "http://gw-1:9901", "--output", "js")).toEqual(["json"]);
  });
});
