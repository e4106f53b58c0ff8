// Finds an Alertmanager for the tests: PATH, or Debian's package, unpacked into the project's cache. Debian's reads its templates from
// a folder below /usr, where nothing is installed: the copy in the cache reads them where it is started.
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { unpackWithDependencies } from "./debian-package.js";
import type { PrometheusSearch } from "./get-prometheus.js";

/** `cwd`: the folder in which it has to be started. */
export type FoundAlertmanager = { readonly binary: string; readonly cwd?: string } | { readonly reason: string };

/** Debian's name first: one of that name on PATH comes with its templates. */
const NAMES = ["prometheus-alertmanager", "alertmanager"];
const TEMPLATES = "/usr/share/prometheus/alertmanager";

export function findAlertmanager(): Promise<FoundAlertmanager> {
  return searchAlertmanager({ env: process.env, cacheDir: join(projectRoot, ".cache") });
}

/** `findAlertmanager` with its surroundings passed in. */
export async function searchAlertmanager({ env, cacheDir }: PrometheusSearch): Promise<FoundAlertmanager> {
  for (const binary of NAMES) if (await runs(binary, env)) return { binary };
  const root = join(cacheDir, "alertmanager");
  const cwd = join(root, TEMPLATES);
  const binary = join(cwd, "alertmanager");
  if (await runs(binary, env)) return { binary, cwd };
  const reason = await unpackWithDependencies({ packageName: "prometheus-alertmanager", target: root, env });
  if (reason !== undefined) return { reason: `no alertmanager on PATH, and ${reason}` };
  const packaged = join(root, "usr/bin/prometheus-alertmanager");
  if (!existsSync(packaged) || !existsSync(cwd) || readdirSync(cwd).every((name) => !name.endsWith(".tmpl")))
    return { reason: "no alertmanager on PATH, and its package has none with templates" };
  writeFileSync(binary, readingWhereStarted(readFileSync(packaged)));
  chmodSync(binary, 0o755);
  return (await runs(binary, env))
    ? { binary, cwd }
    : { reason: "the alertmanager of Debian's package does not run here" };
}

/** The same program with another folder, given in as many bytes. */
function readingWhereStarted(program: Buffer): Buffer {
  const here = `${"./".repeat(Math.floor(TEMPLATES.length / 2))}${"/".repeat(TEMPLATES.length % 2)}`;
  const copy = Buffer.from(program);
  for (let at = copy.indexOf(TEMPLATES); at >= 0; at = copy.indexOf(TEMPLATES, at)) copy.write(here, at, "latin1");
  return copy;
}

async function runs(binary: string, env: PrometheusSearch["env"]): Promise<boolean> {
  return (await runCommand(binary, ["--version"], { env })).code === 0;
}
