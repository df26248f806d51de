import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface AnalysisRun {
  readonly incremental: boolean;
  readonly tookMs: number;
  /** 0, or 3 where the experiment is not healthy. */
  readonly exitCode: number | null;
}

/** `setlist analyze` beside the server that writes the log, as a person at the same machine would, politely. */
export interface Analyses {
  readonly runs: readonly AnalysisRun[];
  /** One every `pauseMs`, of the whole log and of what is new in turns, until the signal. */
  run(pauseMs: number, signal: AbortSignal): Promise<void>;
}

const main = join(import.meta.dirname, "../../src/main.ts");

export function createAnalyses(dataDir: string, experiment: string): Analyses {
  const runs: AnalysisRun[] = [];
  return {
    runs,
    async run(pauseMs, signal) {
      for (let turn = 0; !signal.aborted; turn++) {
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) runs.push(await analyse(dataDir, experiment, turn % 2 === 1));
      }
    },
  };
}

async function analyse(dataDir: string, experiment: string, incremental: boolean): Promise<AnalysisRun> {
  const more = incremental ? ["--incremental"] : [];
  const began = performance.now();
  const flags = ["--experiment", experiment, "--data-dir", dataDir, "--json", ...more];
  const child = spawn(process.execPath, [main, "analyze", ...flags], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  const [exitCode] = (await once(child, "exit")) as [number | null];
  return { incremental, tookMs: performance.now() - began, exitCode };
}
