// The completion of command lines as somebody types them, in the shells' own line editors on a terminal: what the Tab key makes
// of a line, which is more than what the script offers.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { TestContext } from "vitest";

import { projectRoot } from "../../../scripts/project-root.js";
import { runCommand } from "../../../scripts/run-command.js";
import { notRun } from "../../../scripts/test/not-run.js";
import { sluice } from "../../../control-plane/test/support/cli.js";
import { temporaryFolder } from "../../../control-plane/test/support/process.js";
import { type Shell, shell } from "../harness/shells.js";

/** Each with what the command is then given. */
const TYPED: readonly (readonly [typed: string, given: string])[] = [
  ["sluice ses\tsh\t", "session show"],
  ["sluice edges --output=js\t", "edges --output=json"],
  ["sluice edges --output js\t", "edges --output json"],
  ["sluice session list --state=re\t", "session list --state=revoked"],
  ["sluice edges --token-file=pol\t", "edges --token-file=policy.yaml"],
  ["sluice edges --output=json --token-file=pol\t", "edges --output=json --token-file=policy.yaml"],
  ["sluice doctor --envoy http://gw-1:9901 --out\tjs\t", "doctor --envoy http://gw-1:9901 --output json"],
  ["./sluice ses\tsh\t", "session show"],
];
/** Says what it is given. */
const COMMAND = `#!/bin/sh\necho "GOT: $*"\n`;

/** A folder where the shell, with `start` as its file of commands, has the completion. */
async function typedInto(
  { command, env }: Shell,
  args: string,
  start: string,
  context: TestContext,
): Promise<string[]> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "sluice"), COMMAND, { mode: 0o700 });
  writeFileSync(join(folder, "policy.yaml"), "");
  for (const name of ["bash", "zsh"]) writeFileSync(join(folder, `_${name}`), (await sluice(`completion ${name}`)).out);
  writeFileSync(join(folder, ".zshrc"), start);
  writeFileSync(join(folder, ".bashrc"), start);
  writeFileSync(join(folder, "typed"), [...TYPED.map(([typed]) => typed), "exit", ""].join("\n"));
  const onTerminal = { ...env, HOME: folder, ZDOTDIR: folder, INPUTRC: "/dev/null", TERM: "dumb" };
  const path = `${folder}:${process.env.PATH ?? ""}`;
  const line = `script -qec '${command} ${args}' /dev/null < typed`;
  const options = { env: { ...onTerminal, PATH: path }, cwd: folder, timeoutMs: 60_000 };
  if ((await runCommand("script", ["--version"], options)).code !== 0) notRun(context, "script is not there");
  const { stdout } = await runCommand("sh", ["-c", line], options);
  return [...stdout.matchAll(/^GOT: (.*?)\r*$/gm)].map(([, given = ""]) => given);
}

const GIVEN = TYPED.map(([, given]) => given);

it("bash on a terminal completes lines as they are typed, with = and without", async (context) => {
  const bash = { command: "bash", env: process.env };
  expect(await typedInto(bash, "--noprofile -i", 'eval "$(cat _bash)"\n', context)).toEqual(GIVEN);
  // Where the user takes = for a letter like any other.
  const whole = 'eval "$(cat _bash)"\nCOMP_WORDBREAKS=${COMP_WORDBREAKS//=}\n';
  expect(await typedInto(bash, "--noprofile -i", whole, context)).toEqual(GIVEN);
});

it("zsh on a terminal completes lines as they are typed, with = and without", async (context) => {
  const unpacked = join(projectRoot, ".cache/zsh/usr");
  const start = `module_path=(${unpacked}/lib/*/zsh/*(N) $module_path)
fpath=(${unpacked}/share/zsh/functions/**/*(/N) $PWD $fpath)
autoload -Uz compinit; compinit -u -D
source ./_zsh
`;
  expect(await typedInto(await shell("zsh", context), "-d -i", start, context)).toEqual(GIVEN);
});
