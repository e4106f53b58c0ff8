import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By itself vitest knows no times in a fresh clone, and may leave the longest file to the end, alone on its core. */
const LONG = /\/(?:simulation|lease-simulation|life-double-edges|life-edge-clock|life-expiry)\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/**
 * How long a test and each of its hooks may take, and how long it waits for one condition: `until` and `expect.poll`. A
 * condition that holds ends the wait, so the limits are for machines that are far slower than any, and cost nothing.
 */
const patience = (testTimeout: number, untilMs: number, hookTimeout = testTimeout) => ({
  testTimeout,
  hookTimeout,
  provide: { untilMs },
  expect: { poll: { timeout: untilMs, interval: 20 } },
});

/** What only root may do: full disks, dead mounts, namespaces. */
const PRIVILEGED = "control-plane/test/privileged/**/*.test.ts";
/** Where the compiler has run in a process, its Binaryen fails who counts instructions with it: "memory access out of bounds". */
const COUNTING = "test/cost/**/*.test.ts";

// unit: one program or none; counting: the same, each file in a process of its own. e2e: real Envoys and real processes, which
// mostly wait: two files at a time, on ports of their own. long: the same one file at a time, for as long as it takes.
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["control-plane/test/**/*.test.ts", "test/unit/**/*.test.ts", "test/{host,sim}/**/*.test.ts"],
          exclude: [PRIVILEGED],
          ...patience(120_000, 50_000),
          // Modules are loaded once a worker, not once a file: that is half of what these tests would cost.
          isolate: false,
          restoreMocks: true,
          // By itself vitest leaves one core free, which is half of the two that continuous integration has.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "counting",
          include: [COUNTING],
          ...patience(120_000, 50_000),
          restoreMocks: true,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/harness/built.ts"],
          // As for the unit tests: what a file shares with the next is modules, not processes.
          isolate: false,
          maxWorkers: 2,
          // They run beside the unit tests, whose workers have the ranges below.
          env: { FIRST_PORT_RANGE: "4" },
          ...patience(300_000, 100_000),
        },
      },
      {
        test: {
          name: "long",
          include: ["test/long/**/*.test.ts", PRIVILEGED],
          globalSetup: ["test/e2e/harness/built.ts"],
          fileParallelism: false,
          ...patience(1_800_000, 100_000, 120_000),
        },
      },
    ],
  },
});
