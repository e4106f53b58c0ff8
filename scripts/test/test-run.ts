// What npm test and npm run test:long share: every stage in turn, also after one that failed, then a summary.
import { findEnvoy } from "../get-envoy.js";
import { exitCodeOf, type StageResult, summaryLines } from "./test-report.js";
import { runStage, type Stage } from "./test-stage.js";

/** Found or fetched once, and named to every test. */
export async function envoyFound(): Promise<Record<string, string>> {
  return {
    ENVOY_BIN: await findEnvoy((line) => {
      console.log(`sluice: ${line}`);
    }),
  };
}

/** With this argument a test that did not run is a failure: for continuous integration. */
const EVERY_TEST = "--every-test";

/** Ends with the summary on standard output, and sets the exit code. */
export async function runStages(stages: readonly Stage[]): Promise<void> {
  // Also ends the stage that runs.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
  const results = await inOrder(stages);
  console.log(`\n${summaryLines(results).join("\n")}`);
  process.exitCode = exitCodeOf(results, process.argv.includes(EVERY_TEST));
}

/** Each in its turn; one that runs beside the others begins once the stage that it needs has ended. */
async function inOrder(stages: readonly Stage[]): Promise<StageResult[]> {
  const begun: Promise<StageResult>[] = [];
  const ended: StageResult[] = [];
  for (const stage of stages) {
    const run = stage.beside === true ? runBeside(stage, ended) : runInTurn(stage, ended);
    begun.push(run);
    if (stage.beside !== true) ended.push(await run);
  }
  return Promise.all(begun);
}

async function runInTurn(stage: Stage, earlier: readonly StageResult[]): Promise<StageResult> {
  console.log(`\n=== ${stage.name}`);
  return (await runStage(stage, earlier)).result;
}

/** What it says is shown once it has ended: in between it could not be told from what the others say. */
async function runBeside(stage: Stage, earlier: readonly StageResult[]): Promise<StageResult> {
  const { result, output } = await runStage(stage, earlier);
  console.log(`\n=== ${stage.name}\n${output}`);
  return result;
}
