/**
 * `npm run loadtest:log`: what the outcome log takes, by itself and through a server's doors, against a bare loop that
 * writes (and, for outcomes, syncs) the same bytes on the same disk in the same round. Exit 1 where a bar is missed.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { type ServerProcess, startServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, wholeNumber } from "../src/cli/argument.ts";
import { counted } from "../src/domain/number-text.ts";
import { startAskedProcess } from "./asked-process.ts";
import type { ClosedLoopOrder, ClosedLoopResult } from "./closed-loop-client.ts";
import { type LogAlone, measureLogAlone } from "./log-alone.ts";
import { formatLogFigures, type LogRound, logFigures, type ServerRound } from "./log-report.ts";
import { type DoorLoad, type DoorName, loadDoor, madeBatches, openDoor } from "./outcome-doors.ts";
import { saveJson } from "./save-json.ts";
import { scratchFolder } from "./scratch-folder.ts";

const flags = new Command("loadtest:log")
  .description(
    "Measure what the outcome log takes, alone and through a server, beside a bare loop of the same bytes.",
  )
  .option("--rounds <COUNT>", "rounds; medians are printed", positiveInteger, 3)
  .option(
    "--outcomes <COUNT>",
    "outcomes a round, for each door and for the log alone",
    positiveInteger,
    300_000,
  )
  .option("--batch <COUNT>", "outcomes of one call, at most 1,000", positiveInteger, 500)
  .option("--connections <COUNT>", "connections to the server, a batch under way on each", positiveInteger, 8)
  .option("--impressions <COUNT>", "impressions a round", positiveInteger, 20_000)
  .option("--items <COUNT>", "ranked items of an impression", positiveInteger, 50)
  .option(
    "--sent <COUNT>",
    "numbers that the request sent with its context, and with each item",
    wholeNumber,
    0,
  )
  .option("--processes <COUNT>", "processes of the server that answer", positiveInteger, 1)
  .option("--alone", "leave the server out: the log alone")
  .option("--folder <FOLDER>", "where to write, whose disk is what is measured", tmpdir())
  .option("--json <FILE>", "save every round and figure as JSON (default: not)")
  .addHelpText("after", "\nExit code 1 where a figure is below what is asked for.")
  .allowExcessArguments(false)
  .parse()
  .opts<Flags>();

interface Flags {
  readonly rounds: number;
  readonly outcomes: number;
  readonly batch: number;
  readonly connections: number;
  readonly impressions: number;
  readonly items: number;
  readonly sent: number;
  readonly processes: number;
  readonly alone?: true;
  readonly folder: string;
  readonly json?: string;
}

/** Impressions, and batches, under way at once in the log alone. */
const concurrency = 16;
const rankSeconds = 3;
/** Before the first round: code that was never run is slow. */
const warmUpBatches = 100;

await using opened = new AsyncDisposableStack();
const folder = await scratchFolder("log", opened, flags.folder);
let made = 0;

const server = flags.alone === true ? undefined : await startServer();
const rounds: LogRound[] = [];
for (let round = 1; round <= flags.rounds; round++) {
  say(`round ${round} of ${flags.rounds}: the log alone`);
  const alone: LogAlone = await measureLogAlone(join(folder, String(round)), { ...flags, concurrency });
  rounds.push({ alone, server: server && (await serverRound(server, round)) });
}
say("");

const figures = logFigures(rounds);
process.stdout.write(
  `medians of ${counted(rounds.length, "round")}; ${counted(flags.batch, "outcome")} a batch, impressions of ${flags.items} items\n${formatLogFigures(figures)}\n`,
);
saveJson(flags.json, { flags, figures, rounds });
if (figures.some(({ met }) => met === false)) process.exitCode = 1;

async function startServer(): Promise<ServerProcess> {
  say("starting a server");
  const started = await startServerProcess({
    dataDir: join(folder, "data"),
    flags: ["--processes", String(flags.processes)],
  });
  opened.defer(async () => void (await started.stop()));
  for (const door of ["HTTP", "gRPC"] as const) await throughDoor(started, door, warmUpBatches, "warming up");
  return started;
}

async function serverRound(asked: ServerProcess, round: number): Promise<ServerRound> {
  const batches = Math.ceil(flags.outcomes / flags.batch);
  const label = `round ${round} of ${flags.rounds}`;
  const doors = {
    HTTP: await throughDoor(asked, "HTTP", batches, label),
    gRPC: await throughDoor(asked, "gRPC", batches, label),
  };
  say(`${label}: rank requests`);
  const client = await startAskedProcess("closed-loop-client.ts");
  try {
    const order: ClosedLoopOrder = {
      protocol: "http",
      address: `http://127.0.0.1:${asked.httpPort}`,
      inFlight: concurrency,
      candidates: flags.items,
      limit: flags.items,
      seconds: rankSeconds,
    };
    const { requestsPerSecond } = await client.ask<ClosedLoopResult>(order);
    return { doors, ranksPerSecond: requestsPerSecond };
  } finally {
    await client.close();
  }
}

async function throughDoor(
  { httpPort, grpcPort }: ServerProcess,
  name: DoorName,
  count: number,
  label: string,
): Promise<DoorLoad> {
  const batches = madeBatches(name, count, flags.batch, made);
  made += count * flags.batch;
  const door = openDoor(name, name === "HTTP" ? httpPort : grpcPort, flags.connections);
  try {
    return await loadDoor(door, batches, flags.connections, (answered) => {
      if (answered % 100 === 0) say(`${label}: ${name}, ${answered} of ${count} batches`);
    });
  } finally {
    door.close();
  }
}

/** One line that is written over; not into files and pipes. */
function say(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
