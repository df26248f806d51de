/** Analyses of the log for guardrails, each in a real process of its own, over a folder without a server's data. */
import { expect, onTestFinished, test, vi } from "vitest";
import { LogAnalyses } from "../../src/app/beside/log-analyses.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("every experiment has its turn, also where the first one's figures are too old again by then", async () => {
  const dataDir = await temporaryFolder();
  let now = 0;
  const analyses = new LogAnalyses({
    dataDir,
    experimentStore: {},
    everyMs: 1,
    clock: { now: () => now, monotonic: () => now },
  });
  onTestFinished(() => analyses.close());
  await vi.waitFor(
    () => {
      now += 1;
      const known = ["first", "second", "third"].map((id) => analyses.figuresOf(id));
      expect(known.map(({ problem }) => typeof problem)).toEqual(["string", "string", "string"]);
    },
    { timeout: 60_000, interval: 20 },
  );
}, 70_000);
