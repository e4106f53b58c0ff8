// Where libfaketime comes from, and what is said when it comes from nowhere.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { searchLibfaketime } from "../../scripts/test/get-libfaketime.js";

let folder: string;
let cacheDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-libfaketime-"));
  cacheDir = join(folder, "cache");
  mkdirSync(join(folder, "bin"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function program(name: string, script: string): void {
  const file = join(folder, "bin", name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const found = () => searchLibfaketime({ env: { PATH: join(folder, "bin") }, cacheDir });

it("a search for libfaketime that finds none names what was lacking", async () => {
  const lacking = "no libfaketime in .cache, and";
  expect(await found()).toEqual({ reason: `${lacking} apt-get has no package of it (spawn apt-get ENOENT)` });
  program("apt-get", "/bin/touch libfaketime_0.9_amd64.deb");
  program("dpkg-deb", "/bin/mkdir -p usr/lib/x/faketime; /bin/touch usr/lib/x/faketime/libfaketime.so.1");
  expect(await found()).toEqual({ reason: "the libfaketime of Debian's package does not work here" });
  expect(readdirSync(cacheDir)).toEqual(["libfaketime.so"]);
});
