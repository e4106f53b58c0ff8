// Judges a mutant of the rules of leases: all that the simulation of leases is made of is transpiled into a folder below build,
// with the mutant's text in it, and runs from there in this process until a seed finds what is wrong. A rule of the filter is
// taken out of a filter that is compiled anew.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { suspendableFilterModule } from "../../host/harness/builds/filter-modules.js";
import { filterWithNumbers } from "../../host/harness/builds/filter-with-numbers.js";
import { suspendable } from "../../host/harness/host/suspendable.js";
import type { LeaseSimulation } from "../leases/simulate-leases.js";
import { mutatedFiles, type Mutation } from "./mutation.js";

const ENTRY = "assembly/settle.ts";
const SIMULATION = "test/sim/leases/simulate-leases.ts";
/** So many steps has each run. */
const STEPS = 700;
const IMPORTED = /(?:^|\n)(?:import|export)\b[^;]*?from "(\.[^"]*)\.js"|import\("(\.[^"]*)\.js"\)/g;
const OPTIONS = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };

type Read = (file: string) => string;
interface Exports {
  readonly LeaseSimulation: new (filter: WebAssembly.Module) => LeaseSimulation;
}

/** The built filter, once for all mutants that are not of it. */
let built: WebAssembly.Module | undefined;
const transpiled = new Map<string, string>();
let copies = 0;

/**
 * The seed that found it and what it found. Undefined: none did.
 * @param seeds in this order
 * @param read the text of a file
 */
export async function judgedByLeases(
  mutation: Mutation,
  seeds: readonly number[],
  read: Read,
): Promise<readonly [seed: string, finding: string] | undefined> {
  copies += 1;
  const copy = resolve(`build/lease-mutants-${process.pid}/${copies}`);
  const texts = mutatedFiles(mutation, read);
  const isOfFilter = [...texts.keys()].some((file) => file.startsWith("assembly/"));
  try {
    putInto(copy, (file) => texts.get(file) ?? read(file));
    const { LeaseSimulation } = (await import(
      /* @vite-ignore */ pathToFileURL(join(copy, SIMULATION.replace(/ts$/, "js"))).href
    )) as Exports;
    return await findingOf(new LeaseSimulation(await filterOf(isOfFilter ? texts : undefined)), seeds);
  } finally {
    rmSync(dirname(copy), { recursive: true, force: true });
  }
}

/** @param changed files with another text; undefined: the filter as it is built */
async function filterOf(changed: ReadonlyMap<string, string> | undefined): Promise<WebAssembly.Module> {
  if (changed === undefined) return (built ??= suspendableFilterModule("settle"));
  return new WebAssembly.Module(suspendable(await filterWithNumbers(ENTRY, {}, { changed })));
}

async function findingOf(simulation: LeaseSimulation, seeds: readonly number[]) {
  for (const seed of seeds) {
    try {
      const finding = await simulation.run(seed, STEPS);
      if (finding !== undefined) return [String(seed), finding.message.replace(/[0-9a-f-]{36}/, "S")] as const;
    } catch (error) {
      // A program without a rule may also do what nobody expects of it.
      return [String(seed), String(error)] as const;
    }
  }
  return undefined;
}

/** The simulation and all of the project that it imports. */
function putInto(copy: string, read: Read): void {
  const known = new Set<string>();
  const put = (file: string): void => {
    if (known.has(file)) return;
    known.add(file);
    const js = asScript(file, read(file));
    const path = join(copy, file.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, js);
    for (const [, from, later] of js.matchAll(IMPORTED)) put(`${join(dirname(file), from ?? later ?? "")}.ts`);
  };
  put(SIMULATION);
}

function asScript(file: string, text: string): string {
  const key = `${file}\n${text}`;
  const known = transpiled.get(key);
  if (known !== undefined) return known;
  const { outputText } = ts.transpileModule(text, { compilerOptions: OPTIONS });
  transpiled.set(key, outputText);
  return outputText;
}
