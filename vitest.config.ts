import { defineConfig } from "vitest/config";

// unit: one program or none. e2e: real Envoys and real processes, one file at a time, for the ports and the two cores.
// long: the same, for as long as it takes.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["control-plane/test/**/*.test.ts", "test/unit/**/*.test.ts", "test/{host,sim}/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/harness/built.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "long",
          include: ["test/long/**/*.test.ts"],
          globalSetup: ["test/e2e/harness/built.ts"],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
