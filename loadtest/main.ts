/** `npm run loadtest -- [options]`: open-loop load on a running server; docs/load-testing.md says how to read it. */
import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { positiveInteger, positiveNumber, wholeNumber } from "../src/cli/argument.ts";
import type { ArrivalKind } from "./arrivals.ts";
import { findHighestRate, runForTail, tailRatio } from "./find-max.ts";
import { grpcStreamTarget } from "./grpc-stream-target.ts";
import { grpcTarget } from "./grpc-target.ts";
import { httpTarget } from "./http-target.ts";
import { drawLatencyPlot } from "./latency-plot.ts";
import { type LoadReport, runLoad } from "./load-run.ts";
import { formatLoadTable } from "./load-table.ts";
import { sendOutcomesBeside } from "./outcome-load.ts";
import {
  drawRankRequests,
  grpcRankRequests,
  grpcStreamRankRequests,
  httpRankRequests,
} from "./rank-requests.ts";
import { saveJson } from "./save-json.ts";
import type { Target } from "./target.ts";
import { worldSize } from "./world-size.ts";

interface Flags {
  readonly url: string;
  readonly grpc?: string;
  readonly grpcStream?: string;
  readonly rate: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly candidates: number;
  readonly limit?: number;
  readonly surface: string;
  readonly connections: number;
  readonly arrivals: ArrivalKind;
  readonly seed: number;
  readonly outcomes?: boolean;
  readonly findMax?: boolean;
  readonly p99Max: number;
  readonly json?: string;
  readonly plot?: string;
}

/** Different requests that take turns: many enough for every listener's and track's row to be touched. */
const distinctRequests = 500;

const flags = new Command("loadtest")
  .description("Load a running server, open loop: arrivals keep their schedule whatever the answers do.")
  .option("--url <URL>", "the server's HTTP address", "http://127.0.0.1:8080")
  .option("--grpc <HOST:PORT>", "load over gRPC instead (the outcomes still go over HTTP)")
  .addOption(new Option("--grpc-stream <HOST:PORT>", "the same over one RankStream call").conflicts("grpc"))
  .option("--rate <PER_SECOND>", "requests a second; with --find-max the first tried", positiveNumber, 100)
  .option("--seconds <SECONDS>", "length of a run", positiveNumber, 10)
  .option("--warmup <SECONDS>", "unmeasured load before it", positiveNumber, 2)
  .option("--candidates <COUNT>", "candidates of a request", positiveInteger, 200)
  .option("--limit <COUNT>", "ranked items asked for (default: all)", positiveInteger)
  .option("--surface <NAME>", "home or radio", "home")
  .option("--connections <COUNT>", "connections, more wait for one", positiveInteger, 64)
  .addOption(
    new Option("--arrivals <KIND>", "gaps between requests").choices(["poisson", "fixed"]).default("poisson"),
  )
  .option("--seed <NUMBER>", "draws the requests and the arrivals", wholeNumber, 1)
  .option("--outcomes", "also report a click for every tenth answer, in batches")
  .option(
    "--find-max",
    "search the highest rate with p99 under --p99-max and 99 % achieved, then look at half of it",
  )
  .option("--p99-max <MS>", "bound of --find-max", positiveNumber, 50)
  .option("--json <FILE>", "save the reports as JSON (default: not)")
  .option("--plot <FILE>", "save latency by percentile, as SVG (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<Flags>();

const bodies = drawRankRequests({ ...worldSize(), ...flags, limit: flags.limit }, distinctRequests);
const ranks = ((): { target: Target; requests: readonly Buffer[] } => {
  const { url, grpc, grpcStream, connections } = flags;
  if (grpcStream !== undefined) {
    return { target: grpcStreamTarget(grpcStream, 1), requests: grpcStreamRankRequests(bodies) };
  }
  if (grpc !== undefined) {
    return { target: grpcTarget(grpc, Math.min(connections, 8)), requests: grpcRankRequests(bodies) };
  }
  return { target: httpTarget(url, connections), requests: httpRankRequests(bodies, url) };
})();
const outcomes = flags.outcomes === true ? sendOutcomesBeside(ranks.target, flags.url) : undefined;
const load = {
  ...ranks,
  target: outcomes?.target ?? ranks.target,
  arrivals: flags.arrivals,
  seed: flags.seed,
};

function run(rate: number): Promise<LoadReport> {
  return runLoad({ ...load, rate, seconds: flags.seconds });
}

process.stdout.write(
  `${load.target.name}: ${flags.candidates} candidates, ${flags.arrivals} arrivals, ${flags.seconds} s, seed ${flags.seed}\n`,
);
const warm = await runLoad({ ...load, rate: flags.rate, seconds: flags.warmup });
if (warm.answered === 0) {
  process.stderr.write(`no good answer from ${load.target.name}: ${JSON.stringify(warm.errors)}\n`);
  process.exit(1);
}

let reports: LoadReport[];
if (flags.findMax === true) {
  const bound = { p99MsMax: flags.p99Max, achievedMin: 0.99 };
  const { best, steps } = await findHighestRate(
    (rate) => run(rate),
    bound,
    flags.rate,
    (report, sustained) =>
      process.stdout.write(
        `${report.offeredRate.toFixed(0)}/s offered: p99 ${report.latencyMs.p99.toFixed(1)} ms, ${sustained ? "sustained" : "not sustained"}\n`,
      ),
  );
  process.stdout.write(`highest sustained rate: ${best?.offeredRate.toFixed(0) ?? "none"} a second\n`);
  reports = steps.toSorted((a, b) => a.offeredRate - b.offeredRate);
  if (best !== undefined) {
    const half = await runForTail(() => run(best.offeredRate / 2));
    const { p50, p99 } = half.latencyMs;
    process.stdout.write(
      `at half of it, ${half.offeredRate.toFixed(0)}/s: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, p99 / p50 ${tailRatio(half).toFixed(1)} (the middle one of three runs)\n`,
    );
    reports.unshift(half);
  }
} else {
  reports = [await run(flags.rate)];
}
process.stdout.write(formatLoadTable(reports));
if (outcomes !== undefined) process.stdout.write(`${await outcomes.finish()}\n`);
load.target.close();

saveJson(flags.json, { flags, reports });
if (flags.plot !== undefined) {
  const curves = reports.map((report) => ({
    name: `${report.offeredRate.toFixed(0)}/s`,
    points: report.curve,
  }));
  writeFileSync(
    flags.plot,
    drawLatencyPlot(
      "Latency from the scheduled arrival",
      `${load.target.name}, ${flags.candidates} candidates`,
      curves,
    ),
  );
}
