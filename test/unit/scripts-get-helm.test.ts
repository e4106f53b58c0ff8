// Where helm comes from, and what is said when it comes from nowhere.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { searchHelm, searchOrBuildHelm } from "../../scripts/test/get-helm.js";
import { fakePrograms } from "./fake-programs.js";

const { cacheDir, search, program } = fakePrograms();
const NONE = "no helm 3 on PATH or in the cache";
/** A helm 3 where GOBIN says, the way go install makes one. */
const GO = `/bin/mkdir -p "$GOBIN"; printf '#!/bin/sh\\necho v3.22\\n' > "$GOBIN/helm"; /bin/chmod +x "$GOBIN/helm"`;

describe("finding helm", () => {
  it("a helm 3 on PATH is taken, and none is built", async () => {
    program("helm", "echo v3.19.2");
    program("go", GO);
    expect(await searchOrBuildHelm(search())).toEqual({ binary: "helm" });
    expect(existsSync(cacheDir())).toBe(false);
  });

  it("a helm of another major version is passed over", async () => {
    program("helm", "echo v4.0.1");
    expect(await searchHelm(search())).toEqual({ reason: NONE });
  });

  it("looking for helm alone builds none, and the next look finds one that was built", async () => {
    program("go", GO);
    expect(await searchHelm(search())).toEqual({ reason: NONE });
    const binary = join(cacheDir(), "go/bin/helm");
    expect(await searchOrBuildHelm(search())).toEqual({ binary });
    expect(await searchHelm(search())).toEqual({ binary });
  });

  it("a helm that cannot be built is said with the last word of Go, or without Go with that", async () => {
    expect(await searchOrBuildHelm(search())).toEqual({ reason: `${NONE}, and Go cannot build one (spawn go ENOENT)` });
    program("go", "echo downloading >&2; echo 'no such host' >&2; exit 1");
    expect(await searchOrBuildHelm(search())).toEqual({ reason: `${NONE}, and Go cannot build one (no such host)` });
  });
});
