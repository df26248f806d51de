import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import { namesIn, openTestLog } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const rounds = 10;
/** From the first answer on. */
const killAfterMsMax = 400;
const appender = fileURLToPath(new URL("../support/outcomes-appender.ts", import.meta.url));

/** Appends until it is killed without warning, and answers with every line that it printed. */
async function appendAndKill(
  directory: string,
  round: number,
  again: string,
  killAfterMs: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [appender, directory, String(round), again], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = Promise.withResolvers<NodeJS.Signals | null>();
  child.once("close", (_, signal) => ended.resolve(signal));
  let printed = "";
  let timer: NodeJS.Timeout | undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    if (timer === undefined && printed.includes("\na "))
      timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  });
  expect(await ended.promise).toBe("SIGKILL");
  // The kill may have cut the last line.
  return printed.split("\n").slice(0, -1);
}

test("killed at any moment, every acknowledged outcome and every answered impression is there exactly once", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const directory = join(await temporaryFolder(), "log");
  const again = join(await temporaryFolder(), "again.json");
  const sent = new Set<string>();
  const answered = new Set<string>();
  let state = seed;
  for (let round = 0; round < rounds; round++) {
    // Clients send again what was not acknowledged.
    const unacknowledged = [...sent].filter((id) => id.startsWith("o-") && !answered.has(id));
    await writeFile(again, JSON.stringify(unacknowledged));
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const lines = await appendAndKill(directory, round, again, (state / 2 ** 32) * killAfterMsMax);
    for (const line of lines) {
      if (line.startsWith("s ")) sent.add(line.slice(2));
      if (line.startsWith("a ")) answered.add(line.slice(2));
    }
    const names = await namesIn(directory);
    const context = `seed ${seed}, round ${round}`;
    expect(names.length - new Set(names).size, `${context}: records that are there twice`).toBe(0);
    expect(without(answered, names), `${context}: acknowledged and lost`).toStrictEqual([]);
    expect(without(names, sent), `${context}: never sent`).toStrictEqual([]);
    expect((await verifyLog(directory)).corrupt, context).toStrictEqual([]);
  }
  expect(answered.size).toBeGreaterThan(rounds);
  const log = await openTestLog(directory);
  await log.close();
  const names = await namesIn(directory);
  expect(log.recovery.impressions + log.recovery.outcomes).toBe(names.length);
  expect(without(answered, names), `seed ${seed}`).toStrictEqual([]);
});

function without(names: Iterable<string>, others: Iterable<string>): string[] {
  const there = new Set(others);
  return [...names].filter((name) => !there.has(name));
}
