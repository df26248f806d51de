/**
 * A process for the recovery tests, to be killed: it appends to a log from several clients at once and prints a line
 * for everything that it is about to send (`s`) and everything that was answered or acknowledged (`a`), each before it
 * goes on. Arguments: directory, round, and a JSON file with outcome ids that are to be sent again.
 */
import { readFileSync, writeSync } from "node:fs";
import { openOutcomeLog } from "../../src/outcomes/outcomes.ts";
import { impressionOf, outcomeOf } from "./log-records.ts";

const [directory = "", round = "", again = ""] = process.argv.slice(2);
const clients = 8;
const batchMax = 20;

const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};

const log = await openOutcomeLog({
  directory,
  segmentBytesMax: 64 * 1024,
  syncIntervalMs: 20,
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
});
say(`recovered ${JSON.stringify(log.recovery)}`);
const known = JSON.parse(readFileSync(again, "utf8")) as string[];
await log.appendOutcomes(known.map((id) => outcomeOf(id, "again", "t1")));
for (const id of known) say(`a ${id}`);
await Promise.all(Array.from({ length: clients }, (_, client) => appendForever(client)));

async function appendForever(client: number): Promise<void> {
  for (let number = 0; ; number++) {
    const requestId = `r-${round}-${client}-${number}`;
    say(`s ${requestId}`);
    await log.appendImpression(impressionOf(requestId, `u${client}`, "kd"));
    say(`a ${requestId}`);
    const ids = Array.from(
      { length: 1 + (number % batchMax) },
      (_, i) => `o-${round}-${client}-${number}-${i}`,
    );
    for (const id of ids) say(`s ${id}`);
    await log.appendOutcomes(ids.map((id) => outcomeOf(id, requestId, "t1")));
    for (const id of ids) say(`a ${id}`);
  }
}
