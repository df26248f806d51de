import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

/** `npm test` runs the first, `npm run test:slow` the second: see test/README.md. */
const slow = "test/slow/**/*.test.ts";

export default defineConfig({
  test: {
    pool: "forks",
    // Of two processors vitest would use one, and many tests wait for processes that they have started.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    globalSetup: "test/support/scratch-folder.ts",
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: { name: "quick", include: ["test/**/*.test.ts"], exclude: [...configDefaults.exclude, slow] },
      },
      { extends: true, test: { name: "slow", include: [slow] } },
    ],
  },
});
