// What npm start and npm test do first: install and build what is needed, and nothing a second time.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { projectRoot } from "../../scripts/project-root.js";

/** Stands in for npm: notes what it is asked, and leaves behind what the real one would. */
const NPM = `#!/bin/sh
echo "$*" >> calls
case "$*" in
  ci*)
    [ -e break-ci ] && { echo 'the registry is away'; exit 1; }
    mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json ;;
  *build:filter) mkdir -p build && date +%N > build/sluice.wasm ;;
  *build:validator) mkdir -p build/validator && date +%N > build/validator/validator.wasm ;;
  *build:node)
    [ -e break-node ] && { echo 'a type is wrong'; exit 2; }
    mkdir -p build/js/scripts/start build/js/scripts/test
    echo 'console.log("started")' > build/js/scripts/start/start.js
    echo 'console.log("1 passed, 0 failed")' > build/js/scripts/test/test.js ;;
esac
`;
const INSTALL = "ci --include=dev --no-audit --no-fund --loglevel=error";
const BUILD_ALL = ["filter", "validator", "node"].map((part) => `run --silent build:${part}`);

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "sluice-bootstrap-"));
  write("package.json", "{}");
  write("package-lock.json", lockOf("1.0.0"));
  for (const file of ["asconfig.json", "tsconfig.json", "tsconfig.build.json", "assembly/a.ts", "scripts/s.ts"])
    write(file, "");
  for (const file of ["control-plane/src/m.ts", "control-plane/contract-types.d.ts"]) write(file, "");
  for (const script of ["scripts/bootstrap.mjs", "scripts/start/start-lock.mjs"]) {
    cpSync(join(projectRoot, script), join(project, script));
  }
  write("bin/npm", NPM);
  chmodSync(join(project, "bin/npm"), 0o755);
});

afterEach(() => {
  rmSync(project, { recursive: true });
});

it("a first run installs and builds everything; a second one only goes on", () => {
  expect(run("start")).toEqual({
    code: 0,
    stdout:
      "sluice: installing dependencies (npm ci)\nsluice: building the filter\nsluice: building the validator of policies\n" +
      "sluice: building the control plane\nstarted\n",
    stderr: "",
    calls: [INSTALL, ...BUILD_ALL],
  });
  expect(run("start")).toEqual({ code: 0, stdout: "started\n", stderr: "", calls: [] });
});

it("a new version in the lock file is installed and built with", () => {
  run("start");
  write("package-lock.json", lockOf("1.0.1"));
  expect(run("start").calls).toEqual([INSTALL, ...BUILD_ALL]);
});

it("a changed source, or another way of building, makes what it is part of built again", () => {
  run("start");
  write("scripts/s.ts", "changed");
  expect(run("start").calls).toEqual(["run --silent build:node"]);
  write("assembly/a.ts", "changed");
  expect(run("start").calls).toEqual(BUILD_ALL);
  write("build/sluice.wasm", "by other means");
  expect(run("start").calls).toEqual(["run --silent build:filter"]);
});

it("npm's output is shown only when it failed, and nothing is started then", () => {
  write("break-ci", "");
  const { code, stdout, stderr } = run("start");
  expect(code).toBe(1);
  expect(stderr).toBe("sluice: npm ci failed:\nthe registry is away\n");
  expect(stdout).not.toContain("started");
});

it("a failed build starts nothing, but the tests run and say so", () => {
  run("start");
  write("scripts/s.ts", "changed");
  write("break-node", "");
  expect(run("start")).toMatchObject({ code: 1, stderr: "sluice: npm run build:node failed:\na type is wrong\n" });
  expect(run("test").stdout).toContain("1 passed, 0 failed\n");
});

it("a test run that cannot begin ends with the line that every test run ends with", () => {
  write("break-ci", "");
  for (const mode of ["test", "test-long"]) {
    const { code, stdout } = run(mode);
    expect(code).toBe(1);
    expect(stdout).toMatch(/\n0 passed, 1 failed\n$/);
  }
});

it("a run beside another over the same data says so before it installs anything", async () => {
  const holder = spawn(process.execPath, ["--input-type=module", "-e", HOLD], {
    cwd: project,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  const { code, stdout, stderr, calls } = run("start");
  expect({ code, stdout, calls }).toEqual({ code: 1, stdout: "", calls: [] });
  expect(stderr).toMatch(
    /^sluice: npm start already runs over \S+\/\.sluice \(process \d+, proxy 127\.0\.0\.1:10000\): .*\n$/,
  );
});

it("a run whose reader leaves while it installs goes on, and says nothing of it", async () => {
  write("bin/npm", NPM.replace("echo", "until [ -e left ]; do sleep 0.05; done\necho"));
  const child = spawn(process.execPath, [join(project, "scripts/bootstrap.mjs"), "start"], {
    env: { ...process.env, PATH: pathWithNpm() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const complaints: string[] = [];
  child.stderr.on("data", (chunk) => complaints.push(String(chunk)));
  await once(child.stdout, "data");
  child.stdout.destroy();
  write("left", "");
  const [code] = (await once(child, "close")) as [number | null];
  expect([code, complaints.join("")]).toEqual([0, ""]);
  expect(readFileSync(join(project, "calls"), "utf8").split("\n").filter(Boolean)).toEqual([INSTALL, ...BUILD_ALL]);
});

const HOLD = `const { takeStartLock } = await import(process.cwd() + "/scripts/start/start-lock.mjs");
  await takeStartLock({}, process.cwd());
  console.log("held");
  setInterval(() => {}, 1e6);`;

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
  /** What npm was asked in this run. */
  calls: string[];
}

function run(mode: string): Outcome {
  write("calls", "");
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, "scripts/bootstrap.mjs"), mode], {
    env: { ...process.env, PATH: pathWithNpm() },
    encoding: "utf8",
  });
  const calls = readFileSync(join(project, "calls"), "utf8").split("\n").filter(Boolean);
  return { code: status, stdout, stderr, calls };
}

function pathWithNpm(): string {
  return `${join(project, "bin")}:${process.env.PATH ?? ""}`;
}

function lockOf(version: string): string {
  return JSON.stringify({ packages: { "": { name: "sluice" }, "node_modules/some": { version } } });
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(project, file)), { recursive: true });
  writeFileSync(join(project, file), text);
}
