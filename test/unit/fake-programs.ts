// Programs that a test puts on the PATH of a search, and the cache that the search fills.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

export interface FakePrograms {
  /** Anew for each test. */
  readonly folder: () => string;
  /** In it; not there yet. */
  readonly cacheDir: () => string;
  /** Whose PATH has the programs and nothing else. */
  readonly search: () => { readonly env: { readonly PATH: string }; readonly cacheDir: string };
  /** @param script of /bin/sh */
  readonly program: (name: string, script: string) => void;
}

/** To be called outside of tests. */
export function fakePrograms(): FakePrograms {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-programs-"));
    mkdirSync(join(folder, "bin"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const cacheDir = (): string => join(folder, "cache");
  return {
    folder: () => folder,
    cacheDir,
    search: () => ({ env: { PATH: join(folder, "bin") }, cacheDir: cacheDir() }),
    program: (name, script) => {
      const file = join(folder, "bin", name);
      writeFileSync(file, `#!/bin/sh\n${script}\n`);
      chmodSync(file, 0o755);
    },
  };
}
