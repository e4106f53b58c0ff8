// Other builds of the filter, made in memory: from its sources with some text replaced, or with another build id.
import { compileInMemory, readSource } from "./asc-in-memory.js";

/** In a file of the sources, given by the end of its path: a text that occurs there once, and the text that replaces it. */
export interface Replacement {
  readonly file: string;
  readonly find: string;
  readonly by: string;
}

/** A compile takes seconds, and more on a machine that is busy. */
export const COMPILE_TIMEOUT_MS = 120_000;
/** As asconfig.json has them. Optimised less: it compiles in half the time, and behaves the same. */
const OPTIONS = [
  ...["--runtime", "minimal", "--exportStart", "_initialize"],
  ...["--use", "abort=assembly/host/abort/abort", "--noAssert", "-O1"],
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
  const wasm = await compileInMemory("the filter", [entry, ...OPTIONS], (file, folder) => {
    const text = readSource(file, folder);
    return text === null ? null : replaced(file, text, replacements);
  });
  return stamped(wasm, build);
}

/** The build that settles, unoptimised and with the names of its functions. */
export function settleDebugBytes(): Promise<Uint8Array> {
  return compileInMemory("the filter", ["assembly/settle.ts", "--target", "debug"]);
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
