// Finds the programs of `npm run verify:mesh`: each from PATH, the project's cache, or last built by Go or unpacked from a
// package of Debian. What comes from PATH may have any version, and the run says which; what is built has the pinned one.
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure } from "../failure.js";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { unpackFile } from "../test/debian-package.js";
import { buildKubernetes, builtFrom, goInstall, type GoSurroundings } from "./go.js";
import { ENVOY_GATEWAY, HELM, ISTIO, KUBERNETES } from "./versions.js";

interface Source {
  /** How it says its version, and where in what it says that stands. */
  readonly asked: readonly string[];
  readonly version: RegExp;
  /** Where it is built, of which version; not given: any. */
  readonly pinned?: string;
  /** Whether it says its version itself; false: Go wrote it into it. */
  readonly says: boolean;
  readonly get: (around: ToolSearch, target: string) => Promise<string | undefined>;
}

export interface ToolSearch extends GoSurroundings {
  readonly report: (line: string) => void;
}

export interface Tool {
  readonly binary: string;
  readonly version: string;
}

const built = (pinned: string, packages: (version: string) => readonly string[]): Source => ({
  ...{ asked: [], version: /(\S+)/, pinned, says: false },
  get: async (around) => {
    await goInstall(around, packages(pinned));
    return undefined;
  },
});

const kubernetes = (program: string, asked: readonly string[]): Source => ({
  ...{ asked, version: /(v\d+\.\d+\.\d+)/, pinned: KUBERNETES, says: true },
  get: async (around) => {
    await buildKubernetes(around, KUBERNETES, program);
    return undefined;
  },
});

const debian = (packageName: string, path: RegExp): Source => ({
  ...{ asked: ["--version"], version: /(\d+\.\d+\.\d+)/, says: true },
  get: ({ env }, target) => unpackFile({ packageName, path, target, env }),
});

const istio = (path: string): Source => built(ISTIO, (version) => [`istio.io/istio/${path}@${version}`]);

const SOURCES = {
  etcd: debian("etcd-server", /^usr\/bin\/etcd$/),
  "docker-registry": debian("docker-registry", /^usr\/bin\/docker-registry$/),
  "kube-apiserver": kubernetes("kube-apiserver", ["--version"]),
  kubectl: kubernetes("kubectl", ["version", "--client"]),
  helm: built(HELM, (version) => [`helm.sh/helm/v3/cmd/helm@${version}`]),
  "pilot-discovery": istio("pilot/cmd/pilot-discovery"),
  "pilot-agent": istio("pilot/cmd/pilot-agent"),
  "envoy-gateway": built(ENVOY_GATEWAY, (version) => [`github.com/envoyproxy/gateway/cmd/envoy-gateway@${version}`]),
} as const satisfies Readonly<Record<string, Source>>;

export type ToolName = keyof typeof SOURCES;

/** The cache may be a link to that of another checkout: Go compiles anew what it finds under another path. */
export function surroundings(): GoSurroundings {
  const cacheDir = join(projectRoot, ".cache");
  mkdirSync(cacheDir, { recursive: true });
  return { env: process.env, cacheDir: realpathSync(cacheDir) };
}

/** @throws Failure that says what was tried and what is lacking */
export async function findTool(name: ToolName, around: ToolSearch): Promise<Tool> {
  const onPath = inFolders(around.env.PATH, name);
  if (onPath !== undefined) {
    const version = await versionOf(onPath, SOURCES[name], around);
    if (version !== undefined) return { binary: onPath, version };
  }
  const target = join(around.cacheDir, "go/bin", name);
  const cached = await inCache(target, name, around);
  if (cached !== undefined) return cached;
  around.report(`${name} is neither on PATH nor in .cache/go/bin: it is being built or fetched, once`);
  mkdirSync(join(around.cacheDir, "go/bin"), { recursive: true });
  const failure = await SOURCES[name].get(around, target);
  if (failure !== undefined) throw new Failure(`${name} cannot be had: none on PATH, and ${failure}`);
  const got = await inCache(target, name, around);
  if (got === undefined) throw new Failure(`${name} cannot be had: what was built or fetched does not run`);
  return got;
}

function inFolders(path: string | undefined, name: string): string | undefined {
  const folders = (path ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** Of another version than the pinned one it is not taken. */
async function inCache(target: string, name: ToolName, around: ToolSearch): Promise<Tool | undefined> {
  if (!existsSync(target)) return undefined;
  const source: Source = SOURCES[name];
  const version = await versionOf(target, source, around);
  if (version === undefined || (source.pinned !== undefined && version !== source.pinned)) return undefined;
  return { binary: target, version };
}

async function versionOf(binary: string, source: Source, around: ToolSearch): Promise<string | undefined> {
  if (!source.says) return builtFrom(around, binary);
  const { code, stdout } = await runCommand(binary, source.asked, { env: around.env });
  return code === 0 ? source.version.exec(stdout)?.[1] : undefined;
}
