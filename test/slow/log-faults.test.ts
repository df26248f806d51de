import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startServerProcess } from "../../src/app/server-process.ts";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import { decodeSegmentHeader } from "../../src/outcomes/segment-header.ts";
import { eventually } from "../support/eventually.ts";
import { impressionOf, outcomeOf, shadowOf } from "../support/log-records.ts";
import { namesIn, openTestLog, recordsIn, segmentsIn, testDisk } from "../support/outcomes-log.ts";
import { setlist } from "../support/setlist-command.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const hourMs = 3_600_000;

/** Uniform in [0, 1), the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("whatever call of the disk fails, and whenever: each acknowledged record is there exactly once", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const context = `seed ${seed}`;
  const random = seeded(seed);
  const directory = await temporaryFolder();
  const disk = testDisk();
  const options = { disk, segmentBytesMax: 20_000, syncIntervalMs: 5, segmentAgeMaxMs: 40 };
  const log = await openTestLog(directory, options);
  const answered: string[] = [];
  const acknowledged = new Set<string>();
  const sent = new Set<string>();
  let duplicates = 0;
  let refusals = 0;
  let over = false;

  const client = async (number: number): Promise<void> => {
    for (let round = 0; !over; round++) {
      const requestId = `r-${number}-${round}`;
      await log.appendImpression(impressionOf(requestId, `u${number}`, "kd"));
      answered.push(requestId);
      void log.appendShadow(shadowOf(`${requestId}-shadow`)).catch(() => undefined);
      const outcomes = Array.from({ length: 1 + (round % 7) }, (_, i) =>
        outcomeOf(`o-${number}-${round}-${i}`, requestId, "t1"),
      );
      for (const { outcomeId } of outcomes) sent.add(outcomeId);
      for (let taken = false; !taken; ) {
        try {
          const counts = await log.appendOutcomes(outcomes);
          expect(counts.accepted + counts.duplicates).toBe(outcomes.length);
          duplicates += counts.duplicates;
          taken = true;
        } catch (error) {
          expect(error).toMatchObject({ code: "UNAVAILABLE" });
          refusals++;
          await delay(10);
        }
      }
      for (const { outcomeId } of outcomes) acknowledged.add(outcomeId);
      await delay(1);
    }
  };
  const running = Promise.all([0, 1, 2, 3, 4, 5].map(client));
  const operations = ["create", "write", "sync", "truncate", "rename", "syncDirectory"] as const;
  const broken = Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
  for (let turn = 0; turn < 12; turn++) {
    await delay(random() * 150);
    for (const operation of operations) if (random() < 0.4) disk.fail(operation, broken);
    await delay(random() * 400);
    disk.mend();
    await eventually(() => expect(log.trouble(), context).toBeUndefined());
  }
  over = true;
  await running;
  await log.close();

  const names = (await namesIn(directory)).filter((name) => !name.endsWith("-shadow"));
  const there = new Set(names);
  expect(names.length - there.size, `${context}: records that are there twice`).toBe(0);
  expect(
    [...answered, ...acknowledged].filter((id) => !there.has(id)),
    `${context}: lost`,
  ).toEqual([]);
  expect(there.size, context).toBe(answered.length + sent.size);
  expect(duplicates, `${context}: taken for known though they were refused`).toBe(0);
  expect(refusals, context).toBeGreaterThan(0);
  expect((await verifyLog(directory)).corrupt, context).toEqual([]);
  const byClient = (id: string): number => Number(id.split("-")[1]);
  for (const number of [0, 1, 2, 3, 4, 5]) {
    const mine = names.filter((id) => id.startsWith("r-") && byClient(id) === number);
    expect(mine, `${context}: in order`).toEqual(answered.filter((id) => byClient(id) === number));
  }
  const again = await openTestLog(directory);
  expect(again.recovery, context).toMatchObject({ outcomes: acknowledged.size, truncatedBytes: 0 });
  await again.close();
});

test("a clock that goes back an hour: duplicates are known, segments sealed by age, times as they were said", async () => {
  const directory = await temporaryFolder();
  let time = Date.parse("2026-11-22T12:00:00.000Z");
  const options = {
    dedupeWindowMs: 2 * hourMs,
    segmentAgeMaxMs: 50,
    clock: { now: () => time, monotonic: () => performance.now() },
  };
  let log = await openTestLog(directory, options);
  const sealed = async (): Promise<string[]> =>
    (await segmentsIn(directory)).filter((name) => name.endsWith(".seg"));
  const times = [0, hourMs / 2, -hourMs / 2, -hourMs / 4, hourMs].map((ms) => time + ms);
  for (const [i, at] of times.entries()) {
    time = at;
    await log.appendImpression({ ...impressionOf(`r${i}`, "u1", "kd"), at });
    const outcome = { ...outcomeOf(`o${i}`, `r${i}`, "t1"), receivedAt: at, occurredAt: at };
    expect(await log.appendOutcomes([outcome])).toEqual({ accepted: 1, duplicates: 0, unmatched: 0 });
    await expect.poll(sealed).toHaveLength(i + 1);
    const before = times
      .slice(0, i + 1)
      .map((received, j) => ({ ...outcomeOf(`o${j}`, `r${j}`, "t1"), receivedAt: received, occurredAt: at }));
    expect(await log.appendOutcomes(before)).toMatchObject({ accepted: 0, duplicates: i + 1 });
    if (i !== 2) continue;
    await log.close();
    log = await openTestLog(directory, options);
    expect(await log.appendOutcomes(before)).toMatchObject({ accepted: 0, duplicates: 3 });
  }
  await log.close();
  const records = await recordsIn(directory);
  expect(
    records.map((record) =>
      record.kind === "outcome" ? record.receivedAt : record.kind === "impression" && record.at,
    ),
  ).toEqual(times.flatMap((at) => [at, at]));
  expect((await verifyLog(directory)).corrupt).toEqual([]);
  const headers = await Promise.all(
    (await sealed()).map(async (name) =>
      decodeSegmentHeader(await readFile(join(directory, name)), Number(name.slice(0, 10))),
    ),
  );
  // Made when the clock said so, numbered in the order of writing.
  expect(headers.map((header) => "madeAt" in header && times.includes(header.madeAt))).toEqual(
    headers.map(() => true),
  );
});

test("a second server on one data directory does not start, and names the first one's pid", async () => {
  const dataDir = await temporaryFolder();
  const first = await startServerProcess({ dataDir });
  onTestFinished(() => first.kill());
  const second = await setlist("serve", "--data-dir", dataDir, "--http-port", "0", "--grpc-port", "0");
  expect(second.code).not.toBe(0);
  expect(second.stderr).toContain(`belongs to a running server, pid ${first.pid} on `);
  const ready = await fetch(`http://127.0.0.1:${first.httpPort}/readyz`);
  expect(await ready.json()).toEqual({ status: "ready" });
  expect(await first.stop()).toBe(0);
});
