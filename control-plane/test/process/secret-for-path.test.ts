// A store's URL where the path of its file belongs: whoever reads what is said of that must not read the password.
import { expect, it } from "vitest";

import { FileReader } from "../../src/files/file-reader.js";
import { runCopy, runInit } from "../../src/store-transfer.js";
import type { Surroundings } from "../../src/store-transfer.js";
import { readSecretFiles } from "../../src/settings/secret-files.js";

const PASSWORD = "pass-word-of-the-store";
const SENTENCE = "the file that it names (expected a path, got a URL) cannot be used: ENOENT";
const files = new FileReader();

type Said = readonly string[];

/** Each takes the path of a file that holds the URL. */
const DOORS: readonly [name: string, said: (path: string) => Promise<Said>][] = [
  ["SLUICE_STORE_FILE", async (path) => (await secretFiles({ SLUICE_STORE_FILE: path })).violations],
  ["SLUICE_STORE_SENTINEL_FILE", async (path) => (await secretFiles({ SLUICE_STORE_SENTINEL_FILE: path })).violations],
  ["--from-file", (path) => saidBy((around) => runCopy({ "from-file": path, to: "lmdb:/d", stopped: false }, around))],
  ["--to-file", (path) => saidBy((around) => runCopy({ from: "lmdb:/d", "to-file": path, stopped: false }, around))],
  ["--at-file", (path) => saidBy((around) => runInit({ "at-file": path, stopped: false }, around))],
];

const secretFiles = (env: Record<string, string>) => readSecretFiles(env, (path, max) => files.read(path, max));

/** All that a command says. */
async function saidBy(run: (around: Surroundings) => Promise<{ readonly sentences: Said }>): Promise<Said> {
  const said: string[] = [];
  const note = (line: string): void => void said.push(line);
  const { sentences } = await run({ env: {}, files, warn: note, progress: note });
  return [...said, ...sentences];
}

it.each(DOORS)("a URL in the place of the file of %s is said to be one, and not shown", async (name, said) => {
  expect(await said(`redis://sluice:${PASSWORD}@cache/1`)).toEqual([`${name}: ${SENTENCE}`]);
});

it.each(DOORS)("a URL without its scheme in the place of the file of %s is not shown", async (_, said) => {
  const sentences = await said(`sluice:${PASSWORD}@cache/1`);
  expect(sentences).toEqual([expect.stringContaining("the file that it names")]);
  expect(sentences.join()).not.toContain(PASSWORD);
});

it("the path of a secret's file that is missing is shown", async () => {
  expect((await secretFiles({ SLUICE_STORE_FILE: "/run/secrets/store" })).violations).toEqual([
    "SLUICE_STORE_FILE: /run/secrets/store cannot be used: ENOENT",
  ]);
});
