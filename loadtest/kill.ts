/**
 * `npm run loadtest:kill`: ten times a server under load dies by SIGKILL and starts again on the same data directory.
 * Its segments are so small that it goes over to a new one several times a second. Afterwards every answered impression
 * and every acknowledged outcome must be in the log exactly once; exit 1 if not. Ctrl-C ends it after the round that is
 * under way, with the same audit.
 */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { Command } from "commander";
import { startServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, wholeNumber } from "../src/cli/argument.ts";
import { counted } from "../src/domain/number-text.ts";
import { readLog } from "../src/outcomes/outcomes.ts";
import { randomStream } from "../src/simulation/random-stream.ts";
import { agrees, createBook } from "./book.ts";
import { runKillRound, type Unacknowledged } from "./kill-round.ts";
import { drawRankRequests } from "./rank-requests.ts";
import { worldSize } from "./world-size.ts";

const flags = new Command("loadtest:kill")
  .description(
    "Kill the server under load, again and again; then audit the log against what clients were told.",
  )
  .option("--rounds <COUNT>", "kills", positiveInteger, 10)
  .option("--clients <COUNT>", "clients at once", positiveInteger, 16)
  .option("--kill-after-max <MS>", "each kill comes at a random moment up to this", positiveInteger, 3_000)
  .option(
    "--segment-bytes <COUNT>",
    "the size at which a segment of the log is sealed",
    positiveInteger,
    262_144,
  )
  .option("--json <FILE>", "save the rounds and the audit as JSON (default: not)")
  .option("--seed <NUMBER>", "draws the moments and the requests", wholeNumber, 1)
  .allowExcessArguments(false)
  .parse()
  .opts<{
    rounds: number;
    clients: number;
    killAfterMax: number;
    segmentBytes: number;
    json?: string;
    seed: number;
  }>();

/** So short that nothing was under way yet would prove nothing. */
const killAfterMinMs = 300;
/** More are only summed up. */
const tableRoundsMax = 20;

process.env["SETLIST_LOG_SEGMENT_BYTES_MAX"] = String(flags.segmentBytes);
const random = randomStream(flags.seed, "kill");
const bodies = drawRankRequests(
  { ...worldSize(), seed: flags.seed, surface: "home", candidates: 50, limit: 10 },
  200,
);
const book = createBook();
const dataDir = await mkdtemp(join(tmpdir(), "setlist-kill-"));
const table = new Table({
  head: ["round", "ready after ms", "killed after ms", "answered", "acknowledged", "cut off", "resent"],
  colAligns: Array.from({ length: 7 }, () => "right" as const),
  style: { head: [], border: [], compact: true },
});
const rounds: object[] = [];
let cutOff = 0;
let resentInAll = 0;
let resend: readonly Unacknowledged[] = [];

let interrupted = false;
process.once("SIGINT", () => {
  interrupted = true;
});

async function start() {
  const begun = performance.now();
  const server = await startServerProcess({ dataDir });
  return { server, readyMs: performance.now() - begun };
}

try {
  for (let round = 1; round <= flags.rounds && !interrupted; round++) {
    const { server, readyMs } = await start();
    const killAfterMs = killAfterMinMs + random.next() * (flags.killAfterMax - killAfterMinMs);
    const resent = resend.length;
    const result = await runKillRound({
      ...{ server, book, bodies, killAfterMs, resend, name: `kill-${round}`, clients: flags.clients },
    });
    resend = result.unacknowledged;
    cutOff += result.cutOff;
    resentInAll += resent;
    const { answered, acknowledged } = result;
    rounds.push({ round, readyMs, killAfterMs, answered, acknowledged, cutOff: result.cutOff, resent });
    table.push([
      round,
      readyMs.toFixed(0),
      killAfterMs.toFixed(0),
      result.answered,
      result.acknowledged,
      result.cutOff,
      resent,
    ]);
    process.stdout.write(`round ${round} of ${flags.rounds}: ${result.answered} answered, killed\n`);
  }
  const { server, readyMs } = await start();
  const exitCode = await server.stop();
  const audit = await book.audit(readLog(join(dataDir, "log")));
  const segments = (await readdir(join(dataDir, "log"))).filter((name) => name.endsWith(".seg")).length;
  if (rounds.length <= tableRoundsMax) process.stdout.write(`${table.toString()}\n`);
  process.stdout.write(`${counted(rounds.length, "kill")}; ${counted(cutOff, "request was", "requests were")} cut off, ${resentInAll} outcomes sent again
last start: ready after ${readyMs.toFixed(0)} ms, stopped with ${exitCode}
book: ${book.answeredCount} impressions answered, ${book.acknowledgedCount} outcomes acknowledged
log:  ${audit.impressions} impressions, ${audit.outcomes} outcomes, in ${segments} segments
lost: ${audit.lostImpressions.length} impressions, ${audit.lostOutcomes.length} outcomes; repeated ${audit.repeated.length}, unknown ${audit.unknown.length}
`);
  if (flags.json !== undefined) {
    const { answeredCount, acknowledgedCount } = book;
    const said = { answeredCount, acknowledgedCount };
    await writeFile(
      flags.json,
      `${JSON.stringify({ flags, rounds, book: said, segments, audit }, null, 2)}\n`,
    );
  }
  if (!agrees(audit) || exitCode !== 0 || book.acknowledgedCount === 0) {
    process.stdout.write(`FAILED: ${JSON.stringify(audit, null, 1).slice(0, 2_000)}\n`);
    process.exitCode = 1;
  }
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
