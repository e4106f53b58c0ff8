// Go as `npm run verify:mesh` uses it: with its modules, its cache and what it builds in the project's cache.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.js";
import { type Run, runCommand } from "../run-command.js";

export interface GoSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Holds `go/bin`, `go/mod` and `go/build`; nothing is installed elsewhere. */
  readonly cacheDir: string;
}

/** A build takes many minutes: it leaves the machine to others. */
const NICE = "10";

const goEnv = ({ env, cacheDir }: GoSurroundings): Readonly<Record<string, string | undefined>> => ({
  ...env,
  GOBIN: join(cacheDir, "go/bin"),
  GOMODCACHE: join(cacheDir, "go/mod"),
  GOCACHE: join(cacheDir, "go/build"),
  // Without -modcacherw nobody could delete the cache.
  GOFLAGS: "-buildvcs=false -modcacherw",
  CGO_ENABLED: "0",
});

async function go(around: GoSurroundings, args: readonly string[], cwd?: string): Promise<Run> {
  const command = ["-n", NICE, "go", ...args];
  const run = await runCommand("nice", command, { env: goEnv(around), ...(cwd !== undefined && { cwd }) });
  if (run.code === 0) return run;
  const said = run.output.trim().split("\n").slice(-3).join("; ");
  throw new Failure(`go ${args.slice(0, 2).join(" ")} failed (Go 1.26 or newer is needed): ${said}`);
}

/** `go install` of programs of one module: `PACKAGE@VERSION`. */
export async function goInstall(around: GoSurroundings, packages: readonly string[]): Promise<void> {
  await go(around, ["install", ...packages]);
}

/** The folder of a module's files. @param module `MODULE@VERSION` */
export async function moduleFolder(around: GoSurroundings, module: string): Promise<string> {
  const { stdout } = await go(around, ["mod", "download", "-json", module]);
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}

/**
 * Builds a program of k8s.io/kubernetes. That module is none that can be installed: its go.mod replaces its own parts by
 * folders beside it. So a module of ours requires it, and replaces those parts by their releases.
 * @param program its folder in `cmd`
 */
export async function buildKubernetes(around: GoSurroundings, version: string, program: string): Promise<void> {
  const folder = join(around.cacheDir, `go/kubernetes-${program}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { stdout } = await go(around, ["mod", "download", "-json", `k8s.io/kubernetes@${version}`]);
  const { GoMod } = JSON.parse(stdout) as { readonly GoMod: string };
  const { stdout: edited } = await go(around, ["mod", "edit", "-json", GoMod]);
  const { Replace } = JSON.parse(edited) as {
    readonly Replace: readonly { readonly Old: { readonly Path: string }; readonly New: { readonly Path: string } }[];
  };
  const staged = Replace.filter(({ New }) => New.Path.startsWith("./staging/")).map(({ Old }) => Old.Path);
  const partVersion = version.replace(/^v1\./, "v0.");
  const replaces = staged.map((path) => `-replace=${path}=${path}@${partVersion}`);
  await go(around, ["mod", "init", "kubernetes"], folder);
  await go(around, ["mod", "edit", ...replaces, `-require=k8s.io/kubernetes@${version}`], folder);
  writeFileSync(
    join(folder, "main.go"),
    `package main\n\nimport _ "k8s.io/kubernetes/cmd/${program}/app"\n\nfunc main() {}\n`,
  );
  await go(around, ["mod", "tidy"], folder);
  const target = join(around.cacheDir, "go/bin", program);
  const partial = `${target}.partial`;
  const flags = ["-ldflags", linkedVersion(version), "-o", partial];
  await go(around, ["build", ...flags, `k8s.io/kubernetes/cmd/${program}`], folder);
  renameSync(partial, target);
}

/** Without it the program says that it is v0.0.0-master, which its clients cannot read. */
function linkedVersion(version: string): string {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
  const variables = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]
    .flatMap((path) => Object.entries(variables).map(([name, value]) => `-X ${path}.${name}=${value}`))
    .join(" ");
}

/** The version of the module that a program was built from, as Go wrote it there; undefined: Go did not build it. */
export async function builtFrom(around: GoSurroundings, binary: string): Promise<string | undefined> {
  const { code, stdout } = await runCommand("go", ["version", "-m", binary], { env: goEnv(around) });
  return code === 0 ? /^\s+mod\s+\S+\s+(\S+)/m.exec(stdout)?.[1] : undefined;
}
