/**
 * `npm run loadtest:fleet-experiments`: two servers of our own share their experiments in a PostgreSQL of our own, both
 * under steady open-loop load. An experiment is changed again and again, by either server in turn: how long until both
 * obey. Then PostgreSQL is stopped and started again. Fails where a request failed, where a change took a second, or
 * where a server was not stale while the database was gone.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { type ServerProcess, startServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, positiveNumber, wholeNumber } from "../src/cli/argument.ts";
import { randomStream } from "../src/simulation/random-stream.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { httpTarget } from "./http-target.ts";
import { createLatencies } from "./latency.ts";
import { runLoad } from "./load-run.ts";
import { formatLoadTable } from "./load-table.ts";
import { watchObedience } from "./obedience.ts";
import { drawRankRequests, httpRankRequests } from "./rank-requests.ts";
import { worldSize } from "./world-size.ts";

/** Between two changes, at most and drawn, ms: not in step with any poll. */
const pauseMsMax = 700;
/** For the database's own stop and start, and for servers to find it again, ms. */
const backMsMax = 60_000;

const flags = new Command("loadtest:fleet-experiments")
  .description("Change an experiment over PostgreSQL, and lose PostgreSQL, under load.")
  .option("--changes <COUNT>", "of the experiment", positiveInteger, 10)
  .option("--gone <SECONDS>", "how long PostgreSQL is stopped", positiveNumber, 5)
  .option("--rate <PER_SECOND>", "requests a second, of each server", positiveNumber, 50)
  .option("--processes <COUNT>", "processes that answer, of each server", positiveInteger, 1)
  .option("--bar <MS>", "within which both obey a change", positiveNumber, 1_000)
  .option("--seed <NUMBER>", "draws the requests, the arrivals and the pauses", wholeNumber, 1)
  .allowExcessArguments(false)
  .parse()
  .opts<{ changes: number; gone: number; rate: number; processes: number; bar: number; seed: number }>();

const experiment = "home-kd";
const unit = "fleet-probe";
const arms = ["kd-direct", "control"] as const;
const random = randomStream(flags.seed, "fleet experiments");

interface Document {
  readonly revision: number;
}

async function staleSeconds(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^setlist_experiment_store_stale_seconds(?:{.*})? (\S+)$/m.exec(text)?.[1]);
}

/** Which arm the unit gets; answers the status. */
async function change(url: string, arm: string): Promise<number> {
  const address = `${url}/v1/experiments/${experiment}`;
  const document = (await (await fetch(address)).json()) as Document;
  const { status } = await fetch(address, {
    method: "PUT",
    headers: { "content-type": "application/json", "if-match": String(document.revision) },
    body: JSON.stringify({ ...document, overrides: { [unit]: arm } }),
  });
  return status;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + backMsMax;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${backMsMax} ms`);
    await delay(20);
  }
}

const folder = await mkdtemp(join(tmpdir(), "setlist-fleet-"));
const postgres = await startPostgres();
const servers: ServerProcess[] = [];
try {
  const config = join(folder, "setlist.yaml");
  await writeFile(config, `experimentStore: { url: "${await postgres.newDatabase()}" }\n`);
  for (const name of ["one", "other"]) {
    const settings = ["--config", config, "--processes", String(flags.processes)];
    servers.push(await startServerProcess({ dataDir: join(folder, name), flags: settings }));
  }
  const urls = servers.map(({ httpPort }) => `http://127.0.0.1:${httpPort}`);
  // A connection stays with one process: several find them all.
  const probes = flags.processes === 1 ? 1 : 4 * flags.processes;
  const watches = urls.flatMap((url) =>
    Array.from({ length: probes }, () => watchObedience(url, unit, experiment)),
  );
  const loadSeconds = (flags.changes * (pauseMsMax + 100)) / 1_000 + flags.gone + 5;
  const loads = urls.map((url, index) => {
    const shape = { ...worldSize(), seed: flags.seed + index, surface: "home", candidates: 100, limit: 20 };
    const target = httpTarget(url, 32);
    const requests = httpRankRequests(drawRankRequests(shape, 500), url);
    const { rate } = flags;
    const load = {
      target,
      requests,
      rate,
      seconds: loadSeconds,
      arrivals: "poisson",
      seed: flags.seed,
    } as const;
    return runLoad(load).finally(() => target.close());
  });

  const whole = createLatencies();
  const each: number[] = [];
  for (let round = 0; round < flags.changes; round++) {
    await delay(random.next() * pauseMsMax);
    const arm = arms[round % arms.length] as string;
    const began = performance.now();
    const status = await change(urls[round % urls.length] as string, arm);
    if (status !== 200) throw new Error(`a change was answered with ${status}`);
    const obeyed = await Promise.all(watches.map((watch) => watch.arrival(arm, 2 * flags.bar)));
    const tookMs = Math.max(...obeyed) - began;
    whole.record(tookMs);
    each.push(tookMs);
  }

  await postgres.stop("fast");
  const stoppedAt = performance.now();
  await until("stale", async () =>
    (await Promise.all(urls.map(staleSeconds))).every((seconds) => seconds > 0),
  );
  const markedMs = performance.now() - stoppedAt;
  const refused = await change(urls[0] as string, "control");
  await delay(Math.max(0, flags.gone * 1_000 - (performance.now() - stoppedAt)));
  const staleWhileGone = await Promise.all(urls.map(staleSeconds));
  await postgres.start();
  const startedAt = performance.now();
  await until("fresh", async () =>
    (await Promise.all(urls.map(staleSeconds))).every((seconds) => seconds === 0),
  );
  const freshMs = performance.now() - startedAt;
  const lastArm = arms[flags.changes % arms.length] as string;
  const began = performance.now();
  const accepted = await change(urls[1] as string, lastArm);
  const afterMs =
    Math.max(...(await Promise.all(watches.map((one) => one.arrival(lastArm, backMsMax))))) - began;

  const reports = await Promise.all(loads);
  for (const watch of watches) await watch.close();
  const exitCodes = await Promise.all(servers.map((server) => server.stop()));
  const failed = reports.reduce((sum, { scheduled, answered }) => sum + scheduled - answered, 0);
  const slowest = Math.max(...each, afterMs);
  process.stdout.write(`two servers of ${flags.processes} process(es), ${flags.rate} requests a second each
${formatLoadTable(reports)}
from a change to both obeying, over ${flags.changes}: p50 ${whole.at(50).toFixed(0)} ms, max ${Math.max(...each).toFixed(0)} ms (bar ${flags.bar})
PostgreSQL gone for ${flags.gone} s: both stale after ${markedMs.toFixed(0)} ms, for ${staleWhileGone.map((seconds) => seconds.toFixed(1)).join(" and ")} s at its end; a change meanwhile ${refused}
PostgreSQL back: both fresh after ${freshMs.toFixed(0)} ms; a change then ${accepted}, obeyed by both after ${afterMs.toFixed(0)} ms
failed requests: ${failed}; the servers ended with ${exitCodes.join(" and ")}
`);
  const turns = watches.every((watch) => watch.turns === flags.changes + 1);
  const isGood = failed === 0 && slowest < flags.bar && refused === 503 && accepted === 200 && turns;
  if (!isGood || exitCodes.some((code) => code !== 0)) process.exitCode = 1;
} finally {
  for (const server of servers) await server.kill().catch(() => undefined);
  await postgres.remove();
  await rm(folder, { recursive: true, force: true });
}
