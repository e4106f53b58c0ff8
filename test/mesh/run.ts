// npm run verify:mesh: what is deployed in a mesh, tried with the mesh's real parts. Twice this file: first it finds or builds
// the programs, then it runs itself in namespaces of its own (users, network, mounts), where the fixed ports and folders of
// those programs are free, 127.0.0.1 is nobody else's, and nothing reaches a network. Exits with 1 where a check failed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "../../scripts/failure.js";
import { findEnvoy } from "../../scripts/get-envoy.js";
import { findTool, surroundings, type Tool, type ToolName, type ToolSearch } from "../../scripts/mesh/get-tools.js";
import { moduleFolder } from "../../scripts/mesh/go.js";
import { MODULES } from "../../scripts/mesh/versions.js";
import { projectRoot } from "../../scripts/project-root.js";
import { runCommand } from "../../scripts/run-command.js";
import { Ends, newSite } from "../fleet/parts/site.js";
import { type MeshArguments, meshArguments, type StepName, STEPS } from "./arguments.js";
import { Checks } from "./checks.js";
import { writeDocument } from "./document.js";
import { type Kit, POD_ADDRESS, SERVICE_ADDRESS } from "./site.js";
import { runSteps } from "./steps/steps.js";

/** What each step needs; a run of one of them builds no more. */
const TOOLS: Readonly<Record<StepName, readonly ToolName[]>> = {
  admission: ["helm"],
  istio: ["docker-registry", "helm", "pilot-discovery", "pilot-agent"],
  gateway: ["docker-registry", "envoy-gateway"],
  chart: ["helm"],
};
const ALWAYS: readonly ToolName[] = ["etcd", "kube-apiserver", "kubectl"];
const KIT_FILE = "kit.json";
/** The same in enter.sh. */
const HOSTS_FILE = "hosts";

const say = (line: string): void => {
  console.log(line);
};

async function findKit(steps: readonly StepName[]): Promise<Kit> {
  const search: ToolSearch = { ...surroundings(), report: say };
  // One after another: each build takes all cores.
  const tools: Partial<Record<ToolName, Tool>> = {};
  const names = new Set([...ALWAYS, ...steps.flatMap((step) => TOOLS[step])]);
  for (const name of names) tools[name] = await findTool(name, search);
  const modules: Record<string, string> = {};
  for (const [name, module] of Object.entries(MODULES)) modules[name] = await moduleFolder(search, module);
  const binary = await findEnvoy();
  const { stdout } = await runCommand(binary, ["--version"], { env: process.env });
  const version = /\/(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? "unknown";
  return { tools, modules, envoy: { binary, version } } as Kit;
}

const NAMESPACES = ["--user", "--map-root-user", "--net", "--mount"];

async function runInside(folder: string): Promise<number> {
  writeFileSync(join(folder, HOSTS_FILE), "127.0.0.1 localhost\n");
  const self = [process.execPath, ...process.argv.slice(1), "--inside", folder];
  const enter = [join(projectRoot, "test/mesh/enter.sh"), folder, `${POD_ADDRESS} ${SERVICE_ADDRESS}`];
  const child = spawn("unshare", [...NAMESPACES, "sh", ...enter, ...self], { stdio: "inherit" });
  // A terminal's Ctrl-C reaches the child too: it ends what it started, and then so do we.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

/** @returns whether no check failed */
async function inside(folder: string, wanted: MeshArguments): Promise<boolean> {
  const kit = JSON.parse(readFileSync(join(folder, KIT_FILE), "utf8")) as Kit;
  const checks = new Checks(say);
  const ends = new Ends();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void ends.all());
  try {
    await runSteps({ ...newSite(folder, ends), kit, hostsFile: join(folder, HOSTS_FILE) }, checks, wanted);
  } finally {
    await ends.all();
  }
  say(`verify:mesh: ${checks.summary}`);
  if (wanted.write && wanted.only.length === STEPS.length) writeDocument(kit, checks);
  return checks.count("failed") === 0;
}

async function outside({ only }: MeshArguments): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-mesh-"));
  writeFileSync(join(folder, KIT_FILE), JSON.stringify(await findKit(only)));
  say(`logs are in ${folder}`);
  const holds = (await runInside(folder)) === 0;
  if (holds) rmSync(folder, { recursive: true, force: true });
  return holds;
}

try {
  const wanted = meshArguments(process.argv.slice(2));
  const holds = wanted.inside === null ? await outside(wanted) : await inside(wanted.inside, wanted);
  process.exitCode = holds ? 0 : 1;
} catch (error) {
  console.error(`verify:mesh: ${describe(error)}`);
  process.exitCode = 1;
}
// Connections that are kept would hold it.
process.exit();
