// Where the programs of verify:mesh come from, and what is said when one comes from nowhere.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findTool } from "../../scripts/mesh/get-tools.js";
import { HELM } from "../../scripts/mesh/versions.js";
import { fakePrograms } from "./fake-programs.js";

const { folder, cacheDir, search, program } = fakePrograms();
const reported: string[] = [];
const around = () => ({ ...search(), report: (line: string) => reported.push(line) });

/** Go that says from which version a program is, installs one where it is told to, and notes how it is called. */
function go(version: string, install: string): void {
  program("nice", 'shift 2; "$@"');
  program(
    "go",
    `echo "$*" >> ${join(folder(), "calls")}
case "$1" in
  version) printf '\\tmod\\thelm.sh/helm/v3\\t%s\\th1:x=\\n' '${version}' ;;
  install) ${install} ;;
esac`,
  );
}
const INSTALLS = ': > "$GOBIN/helm"';
const calls = (): string => (existsSync(join(folder(), "calls")) ? readFileSync(join(folder(), "calls"), "utf8") : "");

function cached(): string {
  const file = join(cacheDir(), "go/bin/helm");
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "");
  chmodSync(file, 0o755);
  return file;
}

describe("finding the programs of a mesh", () => {
  it("a helm on PATH is taken, whatever its version, and none is built", async () => {
    program("helm", "exit 0");
    go("v3.1.0", "exit 1");
    expect(await findTool("helm", around())).toEqual({ binary: join(folder(), "bin/helm"), version: "v3.1.0" });
    expect(calls()).not.toContain("install");
  });

  it("a helm of the pinned version in the cache is taken, and none is built", async () => {
    const binary = cached();
    go(HELM, "exit 1");
    expect(await findTool("helm", around())).toEqual({ binary, version: HELM });
  });

  it("a helm that is nowhere is built of the pinned version, and the user is told so", async () => {
    go(HELM, INSTALLS);
    expect(await findTool("helm", around())).toEqual({ binary: join(cacheDir(), "go/bin/helm"), version: HELM });
    expect(calls()).toContain(`install helm.sh/helm/v3/cmd/helm@${HELM}`);
    expect(reported.at(-1)).toContain("helm is neither on PATH nor in .cache/go/bin");
  });

  it("a helm of another version in the cache is built anew", async () => {
    cached();
    go("v3.1.0", INSTALLS);
    await expect(findTool("helm", around())).rejects.toThrow("what was built or fetched does not run");
    expect(calls()).toContain(`install helm.sh/helm/v3/cmd/helm@${HELM}`);
  });

  it("a user without Go is told that it is needed", async () => {
    program("nice", 'echo "nice: go: No such file" >&2; exit 127');
    await expect(findTool("helm", around())).rejects.toThrow(/Go 1\.26 or newer is needed.*nice: go: No such file/);
  });
});
