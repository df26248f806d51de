/**
 * `npm run loadtest:soak`: a server of our own under an hour of everything at once: ranks and outcomes over both doors,
 * experiments that change, models that are replaced, a log that becomes Parquet and is deleted, analyses, scrapes. Its
 * capacity is measured first and a share of it is sent. Fails where memory grows, where p99 does, where something that
 * was acknowledged is not there once, or where the server's own metrics do not agree with what the load was told.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { verifyDataDirectory } from "../src/app/data/verify-data.ts";
import { positiveInteger, positiveNumber, wholeNumber } from "../src/cli/argument.ts";
import { markedSegments } from "../src/columnar/marker.ts";
import { findHighestRate } from "./find-max.ts";
import { sustainedBound } from "./load-curve.ts";
import { type LoadReport, runLoad } from "./load-run.ts";
import { saveJson } from "./save-json.ts";
import { createAnalyses } from "./soak/analyses.ts";
import { createApiCaller } from "./soak/api-caller.ts";
import { createExperimentChanges } from "./soak/experiment-changes.ts";
import { auditHistories } from "./soak/history-audit.ts";
import { createLedger } from "./soak/ledger.ts";
import { findLoggedIds } from "./soak/logged-ids.ts";
import { metricValue } from "./soak/metrics-text.ts";
import { createMixedLoad } from "./soak/mixed-load.ts";
import { createModelReleases } from "./soak/model-releases.ts";
import { createNumberedBook } from "./soak/numbered-book.ts";
import { disagreements, reckon } from "./soak/reckoning.ts";
import { watchServer } from "./soak/server-watch.ts";
import { drawSoak, formatSoak, type SoakMinute, trendOf } from "./soak/soak-report.ts";
import { models, startSoakedServer, steadyExperiment } from "./soak/soaked-server.ts";
import { verdictsOf } from "./soak/verdicts.ts";

const flags = new Command("loadtest:soak")
  .description(
    "Do everything at once for an hour at a share of capacity, and say what that does to the server.",
  )
  .option("--minutes <MINUTES>", "length", positiveInteger, 60)
  .option("--share <SHARE>", "of the capacity, which is measured first", positiveNumber, 0.7)
  .option("--rate <PER_SECOND>", "requests a second (default: the share of the capacity)", positiveNumber)
  .option("--candidates <COUNT>", "candidates of a request", positiveInteger, 200)
  .option("--limit <COUNT>", "ranked items asked for", positiveInteger, 20)
  .option("--change <SECONDS>", "between two changes of an experiment", positiveNumber, 10)
  .option("--release <SECONDS>", "between two new versions of a model", positiveNumber, 90)
  .option("--analyse <SECONDS>", "between two analyses", positiveNumber, 240)
  .option(
    "--sample <SECONDS>",
    "between two scrapes of /metrics and looks at the processes",
    positiveNumber,
    5,
  )
  .option("--seed <NUMBER>", "draws the requests and the arrivals", wholeNumber, 1)
  .option("--json <FILE>", "save every minute, and what was found, as JSON (default: not)")
  .option("--plot <FILE>", "save memory and latency over time, as SVG (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{
    minutes: number;
    share: number;
    rate?: number;
    candidates: number;
    limit: number;
    change: number;
    release: number;
    analyse: number;
    sample: number;
    seed: number;
    json?: string;
    plot?: string;
  }>();

const stepSeconds = 8;
const settleMsMax = 120_000;
const minutesOfRow = 5;

const folder = await mkdtemp(join(tmpdir(), "setlist-soak-"));
try {
  const soaked = await startSoakedServer(folder);
  const { server, url, grpcAddress, dataDir, repository } = soaked;
  const ledger = createLedger();
  const caller = createApiCaller(url, ledger);
  const books = { impressions: createNumberedBook("r"), outcomes: createNumberedBook("o") };
  const mixed = createMixedLoad({ url, grpcAddress, ...flags, ledger, ...books });
  const changes = createExperimentChanges(caller);
  const releases = createModelReleases(repository, caller);
  const analyses = createAnalyses(dataDir, steadyExperiment);
  const watch = watchServer(soaked, caller);
  const load = (rate: number, seconds: number, seed: number): Promise<LoadReport> =>
    runLoad({ ...mixed, rate, seconds, arrivals: "poisson", seed });

  const over = new AbortController();
  const { signal } = over;
  await load(50, 5, flags.seed);
  // The label has to stand before an experiment names it.
  const releasing = releases.run(flags.release * 1_000, signal);
  await delay(1_000);
  const beside = [
    releasing,
    changes.run(flags.change * 1_000, signal),
    analyses.run(flags.analyse * 1_000, signal),
    watch.run(flags.sample * 1_000, signal),
  ];
  // A fault of one of them is told at the end, and not instead of the hour.
  for (const one of beside) one.catch(() => undefined);

  const capacity = flags.rate === undefined ? await measuredCapacity() : undefined;
  const rate = flags.rate ?? Math.round((capacity ?? 0) * flags.share);
  say(
    `${capacity === undefined ? "" : `capacity ${capacity.toFixed(0)} a second; `}${rate} a second for ${flags.minutes} minutes`,
  );
  await watch.look();
  const minutes: SoakMinute[] = [];
  for (let minute = 1; minute <= flags.minutes; minute++) {
    const { curve: _, ...report } = await load(rate, 60, flags.seed + minute);
    const seen = { load: { ...report, curve: [] }, ...(await watch.look()) };
    minutes.push(seen);
    const { p50, p99 } = report.latencyMs;
    say(
      `minute ${minute}: ${report.achievedRate.toFixed(0)}/s, p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ms (generator ${report.generatorLagMs.p99.toFixed(1)}), degraded ${report.degraded}, errors ${JSON.stringify(report.errors)}; ${seen.serverMib.toFixed(0)} and ${seen.inferenceMib.toFixed(0)} MiB`,
    );
  }
  over.abort();
  const besides = await Promise.allSettled(beside);
  await mixed.finish();

  const versions = JSON.parse((await caller.call("GET", "/v1/models")).text) as {
    models: { name: string }[];
  };
  for (const model of models) {
    const published = releases.published.get(model) ?? 1;
    const serving = versions.models.filter(({ name }) => name === model).length;
    ledger.add(`model ${model} serving`, published);
    ledger.add(`model ${model} retiring`, published - serving);
    ledger.add(`model ${model} gone`, published - serving);
  }
  const history = await auditHistories(caller, changes, ledger);
  const giveUpAt = performance.now() + settleMsMax;
  let metrics = await watch.scrape();
  while (metricValue(metrics, "setlist_compaction_segments_waiting") > 0 && performance.now() < giveUpAt) {
    await delay(5_000);
    metrics = await watch.scrape();
  }
  ledger.add("segments compacted", (await markedSegments(join(dataDir, "warehouse"))).size);
  const counts = ledger.counts();
  metrics = await watch.scrape();
  mixed.target.close();
  const exitCode = await server.stop();

  const verification = await verifyDataDirectory(dataDir);
  await findLoggedIds(dataDir, books);
  const found = {
    trend: trendOf(minutes),
    loads: minutes.map(({ load: report }) => report),
    reckoning: reckon(counts, metrics),
    history,
    impressions: books.impressions.audit(),
    outcomes: books.outcomes.audit(),
    verification,
    exitCode,
    analyses: analyses.runs,
    faults: [
      ...changes.refused,
      ...releases.faults,
      ...besides.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : [])),
    ],
    releases: Object.fromEntries(releases.published),
  };
  const verdicts = verdictsOf(found);
  process.stdout.write(formatSoak(minutes, minutesOfRow));
  for (const { good, text } of verdicts) process.stdout.write(`${good ? "ok    " : "FAILED"} ${text}\n`);
  for (const row of disagreements(found.reckoning)) {
    process.stdout.write(
      `       ${row.what}: ${row.ours} by the load's book, ${row.servers} by the server's metrics\n`,
    );
  }
  const { loads: _, ...kept } = found;
  const told = metrics.filter(({ name }) => name.startsWith("setlist_") && !name.endsWith("_bucket"));
  saveJson(flags.json, { flags, capacity, rate, minutes, ...kept, verdicts, metrics: told });
  if (flags.plot !== undefined) {
    await writeFile(
      flags.plot,
      drawSoak(minutes, `${rate} requests a second of ${flags.candidates} candidates, and everything else`),
    );
  }
  if (verdicts.some(({ good }) => !good)) process.exitCode = 1;

  async function measuredCapacity(): Promise<number> {
    const { best } = await findHighestRate(
      (tried) => load(tried, stepSeconds, flags.seed),
      sustainedBound,
      100,
      ({ offeredRate, latencyMs }, sustained) =>
        say(
          `${offeredRate.toFixed(0)}/s: p99 ${latencyMs.p99.toFixed(1)} ms, ${sustained ? "sustained" : "not sustained"}`,
        ),
      0.1,
    );
    if (best === undefined) throw new Error("not even one request a second was sustained");
    return best.offeredRate;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
