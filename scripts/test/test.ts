// npm test: every stage, also after one that failed, then a summary whose last line is "N passed, N failed". Tests end to end
// mostly wait, so they run while the unit tests compute.
import { envoyFound, runStages } from "./test-run.js";
import type { Stage } from "./test-stage.js";

const STAGES: readonly Stage[] = [
  { name: "lint", script: "lint", beside: true },
  { name: "format", script: "format:check" },
  { name: "types", script: "types" },
  { name: "build", script: "build:changed" },
  { name: "end to end", script: "e2e", runner: "vitest", needs: "build", beside: true, env: envoyFound },
  { name: "as-pect", script: "unit:filter", runner: "as-pect" },
  { name: "unit", script: "unit:node", runner: "vitest" },
];

await runStages(STAGES);
