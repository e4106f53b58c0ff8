// What npm start and npm test run first, on a machine that may have Node only: checks Node, installs, builds what
// changed, then goes on in the program that was built. Plain JavaScript, as what it imports.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { takeStartLock } from "./start/start-lock.mjs";

const OLDEST_NODE = [20, 19];
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const root = dirname(import.meta.dirname ?? fail("Sluice needs Node 20.19 or newer."));
const TESTING = new Set(["test", "test-long"]);
const LOCK_FILE = "package-lock.json";

/** What each mode goes on in. */
const PROGRAMS = {
  start: "build/js/scripts/start/start.js",
  test: "build/js/scripts/test/test.js",
  "test-long": "build/js/scripts/test/test-long.js",
};
/** Each is built again when a file below `from` changed, or one of its `makes` did. In this order. */
const PARTS = [
  {
    name: "filter",
    what: "the filter",
    script: "build:filter",
    from: ["assembly", "asconfig.json"],
    makes: ["build/sluice.wasm", "build/sluice-lean.wasm", "build/sluice-settle.wasm", "build/sluice.debug.wasm"],
  },
  {
    name: "validator",
    what: "the validator of policies",
    script: "build:validator",
    from: ["assembly", "asconfig.json"],
    makes: ["build/validator/validator.wasm"],
  },
  {
    name: "node",
    what: "the control plane",
    script: "build:node",
    from: [
      "assembly",
      "control-plane/src",
      "control-plane/contract-types.d.ts",
      "scripts",
      "tsconfig.json",
      "tsconfig.build.json",
    ],
    makes: [PROGRAMS.start, PROGRAMS.test],
  },
];

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  fail(`Sluice needs Node ${OLDEST_NODE.join(".")} or newer; this is ${process.versions.node}.`);
}

async function install() {
  if (isInstalled()) return;
  say("installing dependencies (npm ci)");
  const flags = ["--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const failure = await run("npm ci", ["ci", ...flags]);
  if (failure !== undefined) fail(failure);
}

/** npm leaves a list of what it installed; it must hold each package of the lock file in its version. */
function isInstalled() {
  const installed = packagesOf("node_modules/.package-lock.json");
  const wanted = Object.entries(packagesOf(LOCK_FILE)).filter(([path, { optional }]) => path !== "" && !optional);
  return wanted.every(([path, { version }]) => installed[path]?.version === version);
}

function packagesOf(lockFile) {
  return JSON.parse(readIfThere(lockFile) ?? "{}").packages ?? {};
}

/** Resolves with what failed, or undefined. A part is not tried when one before it failed. */
async function build() {
  for (const { name, what, script, from, makes } of PARTS) {
    const stamp = `build/.${name}-built`;
    const sources = hashOf([...from, LOCK_FILE]);
    if (readIfThere(stamp) === stampOf(sources, makes)) continue;
    say(`building ${what}`);
    const failure = await run(`npm run ${script}`, ["run", "--silent", script]);
    if (failure !== undefined) return failure;
    mkdirSync(join(root, "build"), { recursive: true });
    writeFileSync(join(root, stamp), stampOf(sources, makes));
  }
  return undefined;
}

/** Of the sources' content and of when the outputs were written: a build made otherwise is noticed. */
function stampOf(sources, makes) {
  const written = makes.map((file) => (existsSync(join(root, file)) ? statSync(join(root, file)).mtimeMs : "missing"));
  return [sources, ...written].join(" ");
}

/** Of the content of all files and folders named, whatever their times say. */
function hashOf(paths) {
  const hash = createHash("sha256");
  for (const path of paths.flatMap(filesBelow))
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  return hash.digest("hex");
}

function filesBelow(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

function readIfThere(file) {
  return existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : undefined;
}

/** Runs npm in silence; npm's output is part of the failure that it resolves with, if there is one. */
function run(what, args) {
  return new Promise((resolve) => {
    const child = spawn("npm", args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    let endedBy;
    const passOn = (signal) => {
      endedBy = signal;
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, passOn);
    child.stdout.on("data", (chunk) => said.push(chunk));
    child.stderr.on("data", (chunk) => said.push(chunk));
    child.on("error", (error) => resolve(`${what} cannot be started: ${error.message}.`));
    child.on("close", (code) => {
      for (const signal of SIGNALS) process.off(signal, passOn);
      if (endedBy !== undefined) fail(`stopped by ${endedBy} during ${what}.`);
      resolve(code === 0 ? undefined : `${what} failed:\n${Buffer.concat(said).toString().trimEnd()}`);
    });
  });
}

function say(line) {
  console.log(`sluice: ${line}`);
}

function fail(sentence) {
  console.error(`sluice: ${sentence}`);
  // Whoever reads only the last line of a test run finds the same form there.
  if (TESTING.has(process.argv[2])) console.log("0 passed, 1 failed");
  process.exit(1);
}

// Who read along may have gone, as `head` does. What goes on in here decides what that means.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
const mode = process.argv[2];
requireNode();
// Before anything is written that a running one reads.
if (mode === "start") await takeStartLock(process.env, root).catch((error) => fail(error.message));
await install();
const failure = await build();
// The tests have a stage that builds and shows why it failed; the other stages are worth running all the same.
if (failure !== undefined && !(TESTING.has(mode) && existsSync(join(root, PROGRAMS[mode])))) fail(failure);
if (mode !== "build") await import(`../${PROGRAMS[mode]}`);
