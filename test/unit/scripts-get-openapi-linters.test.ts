// Where the linters of the OpenAPI document come from, and what is said when they come from nowhere.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { searchOpenApiLinters } from "../../scripts/test/get-openapi-linters.js";

let folder: string;
let cacheDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-linters-"));
  cacheDir = join(folder, "cache");
  mkdirSync(join(folder, "bin"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function npm(script: string): void {
  const file = join(folder, "bin/npm");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const found = () => searchOpenApiLinters({ env: { PATH: join(folder, "bin") }, cacheDir });

describe("finding the linters of the OpenAPI document", () => {
  it("pinned linters are installed into the cache once, without install scripts", async () => {
    npm(
      '[ "$1 $2" = "ci --ignore-scripts" ] && /bin/grep -q integrity package-lock.json && /bin/mkdir -p node_modules/.bin',
    );
    const programs = join(cacheDir, "openapi-linters/node_modules/.bin");
    expect(await found()).toEqual({ programs });
    expect([existsSync(programs), readdirSync(cacheDir)]).toEqual([true, ["openapi-linters"]]);
    npm("exit 1");
    expect(await found()).toEqual({ programs });
  });

  it("linters of another lock file are installed anew", async () => {
    npm("exit 0");
    await found();
    writeFileSync(join(cacheDir, "openapi-linters/package-lock.json"), "{}");
    npm("echo 'no network' >&2; exit 1");
    expect(await found()).toEqual({ reason: "npm cannot install the linters of test/openapi (no network)" });
  });

  it("an installation of linters that fails leaves nothing in the cache", async () => {
    expect(await found()).toEqual({ reason: expect.stringContaining("npm cannot install the linters") as string });
    expect(readdirSync(cacheDir)).toEqual([]);
  });
});
