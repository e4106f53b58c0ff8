// npm run test:long: what takes too long for npm test. Its last line is "N passed, N failed", and names what did not run.
import { envoyFound, runStages } from "./test-run.js";
import type { Stage } from "./test-stage.js";

const STAGES: readonly Stage[] = [
  { name: "build", script: "build:changed" },
  { name: "long", script: "long", runner: "vitest", needs: "build", env: envoyFound },
];

await runStages(STAGES);
