// The files and streams of the command: what it reads is bounded and may be a pipe, what it cannot write it says.
import { execFileSync, spawn } from "node:child_process";
import { createWriteStream, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

import { runCommand } from "../../../scripts/run-command.js";
import type { Run } from "../../../scripts/run-command.js";
import { compiledMain } from "../support/compiled-sources.js";
import { temporaryFolder } from "../support/process.js";

const POLICY = fileURLToPath(new URL("../../../policy.yaml", import.meta.url));
const program = (): string => join(dirname(compiledMain()), "cli/main.js");

/** As a user types it; `$SLUICE` is the command. */
const shell = (line: string): Promise<Run> =>
  runCommand("bash", ["-c", line], { env: { PATH: process.env.PATH, SLUICE: `${process.execPath} ${program()}` } });

it("a policy from a pipe of the shell is validated as a file is", async () => {
  expect(await shell(`$SLUICE policy check <(cat ${POLICY})`)).toMatchObject({ code: 0, stderr: "" });
  expect(await shell(`cat ${POLICY} | $SLUICE policy check -`)).toMatchObject({ code: 0, stderr: "" });
});

it("a policy that is no file to read, or too long, is named in one sentence", async () => {
  const folder = temporaryFolder();
  const [pipe, huge] = [join(folder, "pipe"), join(folder, "huge.yaml")];
  execFileSync("mkfifo", [pipe]);
  writeFileSync(huge, "");
  truncateSync(huge, 400_000_000);
  for (const [file, why] of [
    [folder, "expected a regular file, got a folder"],
    ["/dev/zero", "expected a regular file, got a device"],
    [huge, "expected at most 1114112 bytes, got 400000000"],
    [pipe, "nothing was written into the pipe"],
  ]) {
    const ran = await shell(`$SLUICE policy check ${file ?? ""}`);
    expect(ran).toMatchObject({ code: 2, stdout: "", stderr: `sluice: ${file ?? ""} cannot be read: ${why ?? ""}\n` });
  }
});

it("a standard input that never ends is given up at the bound", async () => {
  const ran = await shell("yes | $SLUICE policy check -");
  const stderr = "sluice: <stdin> cannot be read: expected at most 1114112 bytes, got more\n";
  expect(ran).toMatchObject({ code: 2, stdout: "", stderr });
});

it("a token file that is a device or a folder is named with the option", async () => {
  const ran = await shell("$SLUICE --token-file /dev/zero session list");
  expect(ran).toMatchObject({ code: 2, stdout: "" });
  expect(ran.stderr).toContain("--token-file: /dev/zero cannot be read: expected a regular file, got a device");
});

it("a tagged value of YAML is a violation with its position, not a failure of the command", async () => {
  const file = join(temporaryFolder(), "policy.yaml");
  writeFileSync(file, "version: 1\nplans: !!pairs [a: 1]\n");
  const ran = await shell(`$SLUICE policy check ${file}`);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain(`${file}:2:8: not accepted as YAML: expected no tag, got tag:yaml.org,2002:pairs\n`);
});

it("a policy in UTF-16 is a violation that names the encoding", async () => {
  const file = join(temporaryFolder(), "policy.yaml");
  writeFileSync(file, Buffer.from("\ufeffversion: 1\n", "utf16le"));
  const ran = await shell(`$SLUICE policy check ${file}`);
  expect(ran).toMatchObject({
    code: 1,
    stdout: `${file}:1:1: the encoding is UTF-16, expected UTF-8: save it as UTF-8\n`,
  });
});

it("an output on a full disk is a failure in one sentence", async () => {
  const ran = await shell(`$SLUICE policy check ${POLICY} > /dev/full`);
  expect(ran).toMatchObject({ code: 1, stderr: "sluice: the output cannot be written: ENOSPC\n" });
});

it("an error stream that is closed changes neither the result nor the exit code", async () => {
  const child = spawn(process.execPath, [program(), "policy", "check", "/nowhere"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stderr.destroy();
  child.stdout.pipe(createWriteStream("/dev/null"));
  expect(await new Promise((resolve) => child.on("close", resolve))).toBe(2);
});
