// The control plane's sources as JavaScript, for tests that need a real process: as they stand now, not as last built.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** Below the project, so that its packages and its `imports` are found from there. */
const OUT = join(ROOT, "build/process-test");
const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  verbatimModuleSyntax: true,
};

let main: string | undefined;

/** Path of the compiled main.js. Compiles once a process; types are checked elsewhere. */
export function compiledMain(): string {
  main ??= compile();
  return main;
}

function compile(): string {
  const sources = readdirSync(join(ROOT, "control-plane/src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))
    .map((path) => join("control-plane/src", path));
  for (const path of ["assembly/contract.ts", ...sources]) {
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, path), "utf8"), { compilerOptions });
    const target = join(OUT, path.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    // Renamed into place: processes of other tests may load it meanwhile.
    writeFileSync(`${target}.${process.pid}`, outputText);
    renameSync(`${target}.${process.pid}`, target);
  }
  return join(OUT, "control-plane/src/main.js");
}
