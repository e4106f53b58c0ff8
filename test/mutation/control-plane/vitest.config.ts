// The tests that may notice a mutant of the control plane: those that run it in their own process.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["control-plane/test/{app,contracts,domain,http,model,store}/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // As in the unit tests' own configuration.
    provide: { untilMs: 50_000 },
    expect: { poll: { timeout: 50_000, interval: 20 } },
    // Loading the modules anew for each file takes longer than the tests do.
    isolate: false,
  },
});
