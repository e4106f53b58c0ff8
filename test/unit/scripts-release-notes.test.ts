// What is rejected as a release, and what a release says of itself.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { projectRoot } from "../../scripts/project-root.js";

const CHANGELOG = `# Changelog

## [1.3.0] – unreleased

- Not this.

## [1.2.0] – 2026-11-30

### Added

- A thing, [explained](docs/thing.md#why), as [others](https://example.com/) do it.

## [1.1.0] – 2026-10-01

- Nor this.
`;

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "sluice-release-"));
  cpSync(join(projectRoot, "scripts/release-notes.mjs"), join(project, "scripts/release-notes.mjs"));
  mkdirSync(join(project, "assembly"));
  writeProject("1.2.0");
  writeFileSync(join(project, "CHANGELOG.md"), CHANGELOG);
});

afterEach(() => {
  rmSync(project, { recursive: true });
});

function writeProject(version: string, { lock = version, filter = version } = {}): void {
  writeFileSync(join(project, "package.json"), JSON.stringify({ version }));
  writeFileSync(join(project, "package-lock.json"), JSON.stringify({ version: lock }));
  writeFileSync(join(project, "assembly/contract.ts"), `export const FILTER_VERSION: string = "${filter}";\n`);
}

function notes(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const script = join(project, "scripts/release-notes.mjs");
  return spawnSync(process.execPath, [script, ...args], { encoding: "utf8", cwd: tmpdir() });
}

it("a release's notes are its section of the changelog", () => {
  const { status, stdout, stderr } = notes("v1.2.0");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toBe(
    "### Added\n\n- A thing, [explained](docs/thing.md#why), as [others](https://example.com/) do it.\n",
  );
});

it("links of the notes lead to the files as they were at the tag", () => {
  const { stdout } = notes("v1.2.0", "https://host.example/p/blob/v1.2.0");
  expect(stdout).toContain("[explained](https://host.example/p/blob/v1.2.0/docs/thing.md#why)");
  expect(stdout).toContain("[others](https://example.com/)");
});

it("a release's notes name its images by their digests", () => {
  const image = `registry.example/sluice-filter:1.2.0@sha256:${"a".repeat(64)}`;
  const { status, stdout } = notes("v1.2.0", "https://host.example", `${image}\n${image}\n`);
  expect(status).toBe(0);
  expect(stdout.endsWith(`\n\n### Images\n\n- \`${image}\`\n- \`${image}\`\n`)).toBe(true);
});

it("an image without its digest is not named in a release's notes", () => {
  const { status, stdout, stderr } = notes("v1.2.0", "https://host.example", "registry.example/sluice-filter:1.2.0");
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain(
    "registry.example/sluice-filter:1.2.0 is no image, expected REGISTRY/NAME:TAG@sha256:DIGEST",
  );
});

it("the oldest section of the changelog is found too", () => {
  writeProject("1.1.0");
  expect(notes("v1.1.0")).toMatchObject({ status: 0, stdout: "- Nor this.\n" });
});

it.each(["v1.2.1", "1.2.0", "v1.2.0-rc.1", "v1x2x0"])("tag %s is rejected for version 1.2.0", (tag) => {
  const { status, stdout, stderr } = notes(tag);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toBe(`sluice: the tag is ${tag}, but package.json has version 1.2.0: the tag would be v1.2.0\n`);
});

it("a version that the changelog lacks is rejected", () => {
  writeProject("1.4.0");
  expect(notes("v1.4.0")).toMatchObject({ status: 1, stderr: 'sluice: CHANGELOG.md has no section "## [1.4.0]"\n' });
});

it("a section that still says unreleased is rejected", () => {
  writeProject("1.3.0");
  const { status, stderr } = notes("v1.3.0");
  expect(status).toBe(1);
  expect(stderr).toContain("the heading of 1.3.0 in CHANGELOG.md does not end with its date");
});

it("an empty section is rejected", () => {
  writeFileSync(join(project, "CHANGELOG.md"), "## [1.2.0] – 2026-11-30\n\n## [1.1.0] – 2026-10-01\n\n- Old.\n");
  expect(notes("v1.2.0").stderr).toContain("the section of 1.2.0 in CHANGELOG.md is empty");
});

it("every file that names the version has to agree, and all that differ are named", () => {
  writeProject("1.2.0", { lock: "1.1.0", filter: "1.0.0" });
  const { status, stderr } = notes("v1.2.0");
  expect(status).toBe(1);
  expect(stderr).toContain("package-lock.json has version 1.1.0");
  expect(stderr).toContain("FILTER_VERSION in assembly/contract.ts is 1.0.0");
});

it("the version of this project is the same wherever a release needs it", () => {
  const { stderr } = spawnSync(process.execPath, [join(projectRoot, "scripts/release-notes.mjs"), "v0"], {
    encoding: "utf8",
  });
  expect(stderr).toContain("the tag is v0");
  expect(stderr).not.toMatch(/package-lock|FILTER_VERSION|no section/);
});
