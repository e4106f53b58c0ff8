// The control plane's programs as JavaScript, for tests that need a real process: from the sources as they stand now, not
// as last built. A program is one file with its packages in it: most of what a start costs is the finding of 900 files.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** Below the project, so that what a program loads as it runs is found from there. */
const OUT = join(ROOT, "build/process-test/control-plane/src");
const PROGRAMS = ["main", "store-admin", "cli/main"];
/** What finds files beside its own, and what is built apart. */
const LEFT_OUT = ["lmdb", "fs-native-extensions", "#validator"];

const main = await compile();

/** Path of the compiled main.js. Compiled once a worker; types are checked elsewhere. */
export function compiledMain(): string {
  return main;
}

async function compile(): Promise<string> {
  const input = PROGRAMS.map((name): [string, string] => [name, join(ROOT, `control-plane/src/${name}.ts`)]);
  const bundle = await rolldown({
    input: Object.fromEntries<string>(input),
    cwd: ROOT,
    platform: "node",
    external: LEFT_OUT,
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
  });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  // What a program is made of is there before the program that names it.
  for (const part of output.toReversed()) if (part.type === "chunk") put(join(OUT, part.fileName), part.code);
  return join(OUT, "main.js");
}

/** Whole at any moment: another test's process may be reading it. */
function put(target: string, text: string): void {
  if (existsSync(target) && readFileSync(target, "utf8") === text) return;
  mkdirSync(dirname(target), { recursive: true });
  const part = `${target}.${process.pid}`;
  writeFileSync(part, text);
  renameSync(part, target);
}
