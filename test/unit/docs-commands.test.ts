// The commands in the documents exist, and none of them runs a program of another project.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { projectRoot } from "../../scripts/project-root.js";
import { textOf } from "./docs.js";

const NOT_OURS = new Set([".git", ".cache", ".sluice", "build", "coverage", "node_modules"]);
/** It tells what the command does. */
const DECISION = "docs/decisions/0038-the-command-is-a-file.md";
const NPM_DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "docs/release.md",
  "SECURITY.md",
  "docs/cli.md",
  "docs/policy.md",
];

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !NOT_OURS.has(name));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [relative(projectRoot, path)] : [];
  });
}

it("no document says to run npx, which fetches and runs what it does not find", () => {
  const files = filesBelow(projectRoot).filter((file) => file !== DECISION && file !== "package-lock.json");
  expect(files).toContain("control-plane/src/cli/terminal/help.ts");
  expect(files.filter((file) => /\bnpx\s+[-\w.@/]/.test(textOf(file)))).toEqual([]);
});

it("no document has a line of another program to make a secret, a token or a token's hash", () => {
  const made =
    /openssl rand|\brandomBytes\(|\/dev\/u?random|node (?:-e|-p|--eval|--print)\b.*(?:random|crypto)|printf.*sha256sum/;
  const read = filesBelow(projectRoot).filter((file) => /\.(?:md|ya?ml|json)$|Dockerfile/.test(file));
  expect(read).toContain("envoy/kubernetes/folder/sluice.yaml");
  expect(read.filter((file) => made.test(textOf(file)))).toEqual([]);
});

it("the package cannot be published by mistake", () => {
  expect(JSON.parse(textOf("package.json"))).toMatchObject({ private: true });
});

it("./sluice starts the project's own command, by whatever link and in whatever folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-command-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const command = join(folder, "sluice");
  symlinkSync(join(projectRoot, "sluice"), command);
  const { stdout, stderr } = spawnSync(command, ["--version"], { cwd: folder, encoding: "utf8" });
  const { version } = JSON.parse(textOf("package.json")) as { version: string };
  // Unit tests also run where nothing is built.
  expect([`${version}\n`, "sluice: the command is not built yet. Build it once: npm run build:changed\n"]).toContain(
    stdout + stderr,
  );
});

it.each(NPM_DOCUMENTS)("%s names npm scripts that package.json has", (document) => {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  const named = [...textOf(document).matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = ""]) => name);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});
