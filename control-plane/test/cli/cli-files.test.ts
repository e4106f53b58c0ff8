// The files and streams of the command: what it reads is bounded and may be a pipe, what it cannot write it says.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, createWriteStream, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import { runCommand } from "../../../scripts/run-command.js";
import type { Run } from "../../../scripts/run-command.js";
import { deriveKeys } from "../../src/domain/keys.js";
import { makeToken } from "../../src/domain/token.js";
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

describe("a secret's file that every user of the machine may read", () => {
  const SECRET = "4f".repeat(32);
  const folderWith = (mode: number): string => {
    const folder = temporaryFolder();
    for (const [name, text] of [
      ["token", "a-token-of-an-operator"],
      ["secret", SECRET],
    ] as const) {
      writeFileSync(join(folder, name), text);
      chmodSync(join(folder, name), mode);
    }
    writeFileSync(join(folder, "session"), makeToken(CLAIMS, deriveKeys(Buffer.from(SECRET, "hex"))));
    writeFileSync(join(folder, "config.yaml"), "url: http://127.0.0.1:9\ntokenFile: token\n");
    return folder;
  };
  const CLAIMS = { sessionId: "018bcfe5-687b-79f4-a4c9-b07b4cc8f9cb", planId: 7 };
  const remark = (file: string): string => `Every user of this machine may read ${file}: take that away (chmod o-r)`;

  it.each<[string, file: string, line: string]>([
    ["the option", "token", "$SLUICE --token-file $D/token session list"],
    ["the variable", "token", "SLUICE_ADMIN_TOKEN_FILE=$D/token $SLUICE session list"],
    ["the configuration file", "token", "SLUICE_CONFIG=$D/config.yaml $SLUICE session list"],
    ["--secret-file", "secret", "$SLUICE token inspect $D/session --secret-file $D/secret"],
    ["the secret's variable", "secret", "SLUICE_SECRET_FILE=$D/secret $SLUICE token inspect $D/session"],
    ["secret hash", "token", "$SLUICE secret hash $D/token"],
  ])("the command remarks on a secret that all may read, named by %s", async (_, file, line) => {
    const run = (folder: string): Promise<Run> => shell(`export SLUICE_URL=http://127.0.0.1:9 D=${folder}; ${line}`);
    const [open, own] = [folderWith(0o644), folderWith(0o600)];
    expect((await run(open)).stderr).toContain(`${remark(join(open, file))}\n`);
    expect((await run(own)).stderr).not.toContain("Every user");
  });

  it("the remark on a secret that all may read is a line of JSON where --json is given", async () => {
    const folder = folderWith(0o644);
    const { stderr } = await shell(`$SLUICE secret hash ${folder}/token --json`);
    expect(JSON.parse(stderr)).toEqual({ remark: remark(join(folder, "token")) });
  });
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
