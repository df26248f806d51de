import type { Reporter, TestModule } from "vitest/node";
import "./describe-with.ts";

/** Vitest's reporter of the suites that a run has left out, and of what they need: its last lines. */
export default class SkippedSuites implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const suite of modules.flatMap((one) => [...one.children.allSuites()])) {
      const { missing } = suite.meta();
      if (missing !== undefined)
        console.log(`SKIPPED: ${suite.module.moduleId}: ${suite.fullName}: ${missing}`);
    }
  }
}
