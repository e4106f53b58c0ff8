// Other builds of the filter, made in memory: from its sources with some text replaced, or with another build id.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import asc from "assemblyscript/asc";

/** In a file of the sources, given by the end of its path: a text that occurs there once, and the text that replaces it. */
export interface Replacement {
  readonly file: string;
  readonly find: string;
  readonly by: string;
}

/** A compile takes seconds, and more on a machine that is busy. */
export const COMPILE_TIMEOUT_MS = 120_000;
const OPTIONS = [
  ...["--outFile", "filter.wasm", "--runtime", "minimal", "--exportStart", "_initialize"],
  ...["--use", "abort=assembly/host/abort/abort", "--noAssert"],
];
const MARK = Buffer.from("sluice-build-id:");

/** A filter as asconfig.json builds it, from sources in which something is replaced. */
export async function changedFilter(replacements: readonly Replacement[], build: bigint): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(await changedFilterBytes(replacements, build));
}

/** The same as a file has it. */
export async function changedFilterBytes(
  replacements: readonly Replacement[],
  build: bigint,
  entry = "assembly/index.ts",
): Promise<Buffer> {
  const produced: Uint8Array[] = [];
  const read = (file: string, folder: string): string | null => {
    try {
      return replaced(file, readFileSync(resolve(folder, file), "utf8"), replacements);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  };
  const { error } = await asc.main([entry, ...OPTIONS], {
    readFile: read,
    writeFile(_file, contents) {
      if (typeof contents !== "string") produced.push(contents);
    },
  });
  const wasm = produced[0];
  if (error !== null || wasm === undefined)
    throw new Error(`the filter does not compile: ${error?.message ?? "asc wrote nothing"}`);
  return stamped(wasm, build);
}

/** The build that settles, unoptimised and with the names of its functions. */
export async function settleDebugBytes(): Promise<Uint8Array> {
  const produced: Uint8Array[] = [];
  const { error } = await asc.main(["assembly/settle.ts", ...OPTIONS, "--debug"], {
    writeFile(_file, contents) {
      if (typeof contents !== "string") produced.push(contents);
    },
  });
  const wasm = produced[0];
  if (error !== null || wasm === undefined)
    throw new Error(`the filter does not compile: ${error?.message ?? "asc wrote nothing"}`);
  return wasm;
}

/** The same code as another build: only its id differs. */
export function withBuildId(wasm: Uint8Array, build: bigint): WebAssembly.Module {
  return new WebAssembly.Module(stamped(wasm, build));
}

/** The same as bytes. */
export function stamped(wasm: Uint8Array, build: bigint): Buffer {
  const bytes = Buffer.from(wasm);
  const at = bytes.indexOf(MARK);
  if (at < 0) throw new Error("the module has no build mark");
  bytes.writeBigUInt64LE(build, at + MARK.length);
  return bytes;
}

/** As a watch says it. */
export function buildWord(build: bigint): string {
  return build.toString(16).padStart(16, "0");
}

function replaced(file: string, text: string, replacements: readonly Replacement[]): string {
  let changed = text;
  for (const { find, by } of replacements.filter((each) => file.endsWith(each.file))) {
    if (changed.split(find).length !== 2) throw new Error(`${file}: expected once: ${find}`);
    changed = changed.replace(find, () => by);
  }
  return changed;
}
