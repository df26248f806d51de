import { Command } from "commander";
import { loadConfig } from "../config.ts";
import { httpAddress, positiveInteger, positiveNumber, wholeNumber } from "./argument.ts";
import { exitFailed, exitInterrupted } from "./exit-codes.ts";
import { displayProgress } from "./simulation-progress.ts";
import { formatSummary } from "./simulation-summary.ts";

interface SimulateFlags {
  readonly url: string;
  readonly listeners?: number;
  readonly requests?: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly concurrency: number;
  readonly world?: string;
  readonly run?: string;
  readonly json?: boolean;
}

const defaultRequests = 1_000;

/** `setlist simulate`: the world's listeners against a running server. */
export function simulateCommand(): Command {
  return new Command("simulate")
    .description("Let simulated listeners visit a running server, act on what it ranks and report that.")
    .option("--url <URL>", "a running server", httpAddress, "http://127.0.0.1:8080")
    .option(
      "--listeners <COUNT>",
      "the first so many of the world's listeners (default: all)",
      positiveInteger,
    )
    .option(
      "--requests <COUNT>",
      `end after so many visits (default: ${defaultRequests}, without --seconds)`,
      positiveInteger,
    )
    .option("--seconds <SECONDS>", "end after so many seconds (default: no limit)", positiveNumber)
    .option(
      "--seed <NUMBER>",
      "draws listeners and outcomes: equal seeds and server states give equal outcomes",
      wholeNumber,
      1,
    )
    .option("--concurrency <COUNT>", "visits at once", positiveInteger, 8)
    .option("--world <FOLDER>", "the folder of the simulated world (default: models/world)")
    .option("--run <NAME>", "prefix of every id sent (default: from the seed and the time)")
    .option("--json", "print the summary as JSON")
    .action(async (flags: SimulateFlags) => {
      // Imported once it is asked for: DuckDB and ONNX Runtime should not be loaded by other commands.
      const { simulateWorld } = await import("../simulation/simulation.ts");
      const { world } = loadConfig({ flags: { world: flags.world }, env: process.env, cwd: process.cwd() });
      const requests = flags.requests ?? (flags.seconds === undefined ? defaultRequests : undefined);
      const display = displayProgress({ requests, seconds: flags.seconds }, process.stderr);
      const stop = new AbortController();
      const onSignal = (): void => stop.abort();
      process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
      try {
        const summary = await simulateWorld({
          ...flags,
          world,
          requests,
          onProgress: display.update,
          signal: stop.signal,
        });
        display.stop();
        process.stdout.write(flags.json ? `${JSON.stringify(summary)}\n` : formatSummary(summary));
        // Nothing was ranked at all: whoever calls this from a script should not take it for a success.
        if (summary.requests === 0) process.exitCode = exitFailed;
        if (stop.signal.aborted) process.exitCode = exitInterrupted;
      } finally {
        display.stop();
        process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
      }
    });
}
