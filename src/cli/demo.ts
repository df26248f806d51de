import { Command } from "commander";
import { loadConfig } from "../config.ts";
import { positiveInteger, positiveNumber, wholeNumber } from "./argument.ts";
import { exitFailed, exitInterrupted } from "./exit-codes.ts";
import { displayProgress, type ProgressDisplay } from "./simulation-progress.ts";
import { formatSummary } from "./simulation-summary.ts";

interface DemoFlags {
  readonly seed: number;
  readonly seconds: number;
  readonly listeners?: number;
  readonly concurrency: number;
  readonly dataDir?: string;
  readonly world?: string;
}

const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const legend = `
*  primary: what the verdict is about.   !  guardrail.   ↑ more is better, ↓ less is better.
The verdict goes by adj. p: of the plan's own test, with CUPED where there is any, adjusted for the number of tests.
Lifts and their intervals are without CUPED and hold for one look, at the planned end. With --data-dir the log is kept, and
setlist analyze --experiment ID --data-dir FOLDER says more: always-valid intervals, every arm in full.
`;

/** `setlist demo`: serve, simulated listeners and the analysis in one command. */
export function demoCommand(): Command {
  return new Command("demo")
    .description(
      "Run the whole loop in about a minute: serve, let simulated listeners listen, say which arm won.",
    )
    .option("--seed <NUMBER>", "draws listeners and outcomes", wholeNumber, 1)
    .option("--seconds <SECONDS>", "how long they listen", positiveNumber, 45)
    .option(
      "--listeners <COUNT>",
      "the first so many of the world's listeners (default: all)",
      positiveInteger,
    )
    .option("--concurrency <COUNT>", "visits at once", positiveInteger, 8)
    .option(
      "--data-dir <FOLDER>",
      "the data directory, kept (default: a temporary folder, removed at the end)",
    )
    .option("--world <FOLDER>", "the folder of the simulated world (default: models/world)")
    .action(async (flags: DemoFlags) => {
      // Imported once it is asked for: DuckDB and ONNX Runtime should not be loaded by other commands.
      const { runDemo } = await import("../app/run-demo.ts");
      const { renderOverview } = await import("../report/report.ts");
      const { world } = loadConfig({ flags: { world: flags.world }, env: process.env, cwd: process.cwd() });
      const { stderr, stdout } = process;
      const stop = new AbortController();
      const onSignal = (): void => stop.abort();
      // SIGHUP, a closed terminal, too: the server in its own process group would outlive us.
      for (const signal of endings) process.on(signal, onSignal);
      let display: ProgressDisplay | undefined;
      try {
        stderr.write("starting the server …\n");
        const { summary, reports } = await runDemo({
          ...flags,
          world,
          onServing(url, dataDir) {
            const kept = flags.dataDir === undefined ? "removed at the end; --data-dir keeps it" : "kept";
            stderr.write(`serving at ${url}, data in ${dataDir} (${kept})\n`);
            display = displayProgress({ seconds: flags.seconds }, stderr);
          },
          onProgress: (progress) => display?.update(progress),
          signal: stop.signal,
        });
        display?.stop();
        stdout.write(`\n${formatSummary(summary)}`);
        for (const report of reports) stdout.write(`\n${renderOverview(report)}`);
        if (reports.length > 0) stdout.write(legend);
        if (stop.signal.aborted) process.exitCode = exitInterrupted;
        else if (summary.requests === 0) process.exitCode = exitFailed;
      } finally {
        display?.stop();
        for (const signal of endings) process.off(signal, onSignal);
      }
    });
}
