// npm test: every stage in turn, also after one that failed, then a summary whose last line is "N passed, N failed".
import { findEnvoy } from "./get-envoy.js";
import { exitCodeOf, type StageResult, summaryLines } from "./test-report.js";
import { runStage, type Stage } from "./test-stage.js";

const STAGES: readonly Stage[] = [
  { name: "format", script: "format:check" },
  { name: "lint", script: "lint" },
  { name: "types", script: "types" },
  { name: "build", script: "build:changed" },
  { name: "as-pect", script: "unit:filter", runner: "as-pect" },
  { name: "unit", script: "unit:node", runner: "vitest" },
  { name: "end to end", script: "e2e", runner: "vitest", needs: "build", env: envoyFound },
];

/** Found or fetched once, and named to every test. */
async function envoyFound(): Promise<Record<string, string>> {
  return {
    ENVOY_BIN: await findEnvoy((line) => {
      console.log(`sluice: ${line}`);
    }),
  };
}

// Also ends the stage that runs.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));

const results: StageResult[] = [];
for (const stage of STAGES) {
  console.log(`\n=== ${stage.name}`);
  results.push(await runStage(stage, results));
}
console.log(`\n${summaryLines(results).join("\n")}`);
process.exitCode = exitCodeOf(results);
