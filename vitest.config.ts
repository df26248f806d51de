import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

/** `npm test` runs the first, `npm run test:slow` the second: see README.md. */
const slow = "test/slow/**/*.test.ts";

export default defineConfig({
  test: {
    pool: "forks",
    // Of two processors vitest would use one, and many tests wait for processes that they have started.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ["default", "./test/support/skipped-suites.ts"],
    globalSetup: "test/support/scratch-folder.ts",
    // As main.ts has it for every command: tests start some of them without it.
    env: { ORT_DISABLE_TELEMETRY: "1" },
    // A test fails by what it finds, not by how busy the machine is: these only end what hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000, interval: 10 } },
    projects: [
      {
        extends: true,
        test: { name: "quick", include: ["test/**/*.test.ts"], exclude: [...configDefaults.exclude, slow] },
      },
      { extends: true, test: { name: "slow", include: [slow] } },
    ],
  },
});
