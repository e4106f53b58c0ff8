// Debian packages, unpacked into the project's cache: one file of a package, or a package with all that it needs and this
// machine lacks. Needs no root: nothing is installed.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Run, runCommand } from "../run-command.js";

export interface WantedPackage {
  readonly packageName: string;
  /** Where it is to lie. */
  readonly target: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** It may also come from what Debian makes of later releases for this one. */
  readonly backports?: boolean;
}

export interface PackagedFile extends WantedPackage {
  /** Its place in the package, below the folders that every one has. */
  readonly path: RegExp;
}

/** Without a network, apt is to say so before a test runs out of time. */
const APT_OPTIONS = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10"];
const WITH_DEPENDENCIES = ["install", "--print-uris", "--yes", "--no-install-recommends"];

/** @returns what failed, or undefined */
export function unpackFile({ path, target, ...wanted }: PackagedFile): Promise<string | undefined> {
  return unpacked(
    { ...wanted, target },
    (name) => Promise.resolve([name]),
    (root) => {
      const file = readdirSync(root, { recursive: true, encoding: "utf8" }).find((name) => path.test(name));
      if (file === undefined) return false;
      renameSync(join(root, file), target);
      return true;
    },
  );
}

/** The target is a folder, laid out as the root of a system. @returns what failed, or undefined */
export function unpackWithDependencies(wanted: WantedPackage): Promise<string | undefined> {
  return unpacked(wanted, lackingFor, (root) => {
    rmSync(wanted.target, { recursive: true, force: true });
    renameSync(root, wanted.target);
    return true;
  });
}

type Apt = (...args: readonly string[]) => Promise<Run>;
type NamesOf = (packageName: string, apt: Apt) => Promise<readonly string[]>;

/** @param take takes what is wanted out of the folder in which all was unpacked; false: it is not there */
async function unpacked(
  { packageName, target, env, backports = false }: WantedPackage,
  namesOf: NamesOf,
  take: (root: string) => boolean,
): Promise<string | undefined> {
  // Beside its place, and then renamed, so that what was interrupted is never taken for the file.
  const partial = `${target}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const folders = { downloads: join(partial, "downloads"), root: join(partial, "root"), lists: join(partial, "lists") };
  for (const folder of [folders.downloads, folders.root, join(folders.lists, "partial")])
    mkdirSync(folder, { recursive: true });
  try {
    const download = await downloaded({ packageName, env, backports }, folders, namesOf);
    const files = readdirSync(folders.downloads).filter((name) => name.endsWith(".deb"));
    if (download.code !== 0 || files.length === 0) return `apt-get has no package of it (${lastLine(download.output)})`;
    for (const file of files) {
      const args = ["--extract", join(folders.downloads, file), "."];
      const { code, output } = await runCommand("dpkg-deb", args, { env, cwd: folders.root });
      if (code !== 0) return `its package cannot be unpacked (${lastLine(output)})`;
    }
    return take(folders.root) ? undefined : "its package cannot be unpacked (it is not in it)";
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

type Download = Required<Omit<WantedPackage, "target">>;

async function downloaded(
  { packageName, env, backports }: Download,
  { downloads, lists }: { readonly downloads: string; readonly lists: string },
  namesOf: NamesOf,
): Promise<Run> {
  const aptWith = (...options: readonly string[]): Apt => {
    return (...args) => runCommand("apt-get", [...APT_OPTIONS, ...options, ...args], { env, cwd: downloads });
  };
  const download = async (apt: Apt): Promise<Run> => apt("download", "--quiet", ...(await namesOf(packageName, apt)));
  const sources = backports ? await withBackports(aptWith(), `${lists}.list`) : [];
  if (!backports) {
    const first = await download(aptWith());
    if (first.code === 0) return first;
  }
  // This machine's lists of packages may be missing, or older than the package's last update, or of its release alone.
  const fresh = aptWith("-o", `Dir::State::Lists=${lists}`, "-o", `Dir::Cache=${lists}`, ...sources);
  await fresh("update", "--quiet");
  return download(fresh);
}

/**
 * Options of apt with which it knows this machine's release and its backports, from where the release comes from.
 * @param sourceList is written; not in the folder of apt's lists, which it clears of what is none
 */
async function withBackports(apt: Apt, sourceList: string): Promise<string[]> {
  const { stdout } = await apt("indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages");
  // Beside the release itself there are its updates: "bookworm-updates".
  const [, site, release] = /^(\S+) ([^\s-]+)$/m.exec(stdout) ?? [];
  if (site === undefined || release === undefined) return [];
  writeFileSync(sourceList, [release, `${release}-backports`].map((suite) => `deb ${site} ${suite} main\n`).join(""));
  return ["-o", `Dir::Etc::SourceList=${sourceList}`, "-o", "Dir::Etc::SourceParts=/dev/null"];
}

/** The names of the package and of all that it needs and this machine lacks. */
async function lackingFor(packageName: string, apt: Apt): Promise<string[]> {
  const { stdout } = await apt(...WITH_DEPENDENCIES, packageName);
  // 'http://…' libogg0_1.3.5-3_amd64.deb 23412 MD5Sum:…
  const names = [...stdout.matchAll(/^'[^']*' ([^_ ]+)_\S+\.deb /gm)].map(([, name = ""]) => name);
  return names.length === 0 ? [packageName] : names;
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1)?.trim() ?? "";
}
