import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createBook } from "../../loadtest/book.ts";
import type { Random } from "../../src/domain/clock.ts";
import { readLog, verifyLog } from "../../src/outcomes/outcomes.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { hastyDisk, openTestLog } from "../support/outcomes-log.ts";
import { powerCutDisk } from "../support/power-cut-disk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const syncIntervalMs = 50;
/** Of one sync on the simulated disk. */
const syncMsMax = 8;
const cutsEach = 3;

/** Virtual ms: only what a test lets pass passes, so that no machine is too slow for the promise. */
let now = 0;

beforeEach(() => {
  now = 0;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

async function pass(ms: number): Promise<void> {
  for (let i = 0; i < ms; i++) {
    now++;
    await vi.advanceTimersByTimeAsync(1);
  }
  await new Promise(setImmediate);
}

/** Lets time pass until the promise has settled. */
async function passUntil<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  promise.then(mark, mark);
  while (!settled) await pass(1);
  return promise;
}

/** How long each sync takes; one of them may never end, so that the power is cut in the middle of it. */
class Syncs {
  readonly #stuck = Promise.withResolvers<undefined>();
  readonly #takesMs: () => number;
  #stuckAt: number | undefined;
  #fails = (): boolean => false;

  constructor(stuckAt: number | undefined, takesMs: () => number) {
    this.#stuckAt = stuckAt;
    this.#takesMs = takesMs;
  }

  /** Resolves once that one has begun. */
  get stuck(): Promise<undefined> {
    return this.#stuck.promise;
  }

  /** From here on each sync fails with this chance, as on a disk that is about to die. */
  neverStuck(fails: () => boolean): void {
    this.#stuckAt = undefined;
    this.#fails = fails;
  }

  take(): Promise<void> {
    if (this.#stuckAt !== undefined && this.#stuckAt-- === 0) {
      this.#stuck.resolve(undefined);
      return new Promise(() => undefined);
    }
    const failed = this.#fails();
    return new Promise((resolve, reject) =>
      setTimeout(() => {
        if (failed) reject(Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" }));
        else resolve();
      }, this.#takesMs()),
    );
  }
}

interface Life {
  readonly random: Random;
  readonly book: ReturnType<typeof createBook>;
  /** When each impression was answered. */
  readonly answeredAt: Map<string, number>;
  readonly unacknowledged: Set<string>;
  made: number;
  /** The chance that a sync fails. */
  readonly failing: number;
}

/** A server's life on `directory`, from its start to the cut, which may come during the start. Answers what is left. */
async function liveAndLosePower(directory: string, life: Life): Promise<string> {
  const { random, book, answeredAt, unacknowledged } = life;
  const below = (count: number): number => Math.floor(random.next() * count);
  const syncs = new Syncs(random.next() < 0.4 ? below(7) : undefined, () => 1 + below(syncMsMax));
  const disk = await powerCutDisk(directory, random, () => syncs.take());
  const left = await temporaryFolder();
  const opening = openTestLog(directory, {
    disk,
    segmentBytesMax: 4_000,
    syncIntervalMs,
    clock: { now: () => now, monotonic: () => now },
  });
  const log = await passUntil(Promise.race([opening, syncs.stuck]));
  if (log === undefined) {
    await disk.cut(left);
    return left;
  }
  syncs.neverStuck(() => life.failing > 0 && random.next() < life.failing);

  const send = (ids: readonly string[]): void => {
    book.sent(ids);
    for (const id of ids) unacknowledged.add(id);
    const outcomes = ids.map((id) => outcomeOf(id, "r0", "t1"));
    log.appendOutcomes(outcomes).then(
      () => {
        book.acknowledged(ids);
        for (const id of ids) unacknowledged.delete(id);
      },
      () => undefined,
    );
  };
  const show = (id: string): void => {
    book.asked(id);
    const items = Array.from({ length: 1 + below(60) }, (_, i) => `t${i}`);
    log.appendImpression(impressionOf(id, "u1", "kd", items)).then(
      () => answeredAt.set(id, now),
      () => undefined,
    );
  };
  for (let steps = 5 + below(40); steps > 0; steps--) {
    const what = below(10);
    if (what < 5) show(`r${life.made++}`);
    else if (what < 8) send(Array.from({ length: 1 + below(12) }, () => `o${life.made++}`));
    else if (what === 8) send([...unacknowledged].slice(0, 3 + below(5)).concat(`o${life.made++}`));
    // Long enough, on a disk that fails, for the log to try again.
    else await pass(below((life.failing === 0 ? 2 : 8) * syncIntervalMs));
    if (below(2) === 0) await pass(below(4));
  }
  await disk.cut(left);
  // What settles from now on, settles in a machine without power: nobody hears of it.
  const deadline = now - syncIntervalMs - 2 * syncMsMax - 1;
  // While the disk refuses, what was not synced yet waits for the repair.
  for (const [id, at] of answeredAt) if (at <= deadline && life.failing === 0) book.answered(id);
  answeredAt.clear();
  await passUntil(log.close().catch(() => undefined));
  return left;
}

/** So many lives of three cuts; answers what clients were promised in all of them. */
async function liveOften(
  seeds: number,
  failing: number,
): Promise<{ acknowledged: number; answered: number }> {
  const promised = { acknowledged: 0, answered: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    const life: Life = {
      random: randomStream(seed, "power cut", failing),
      book: createBook(),
      answeredAt: new Map(),
      unacknowledged: new Set(),
      made: 1,
      failing,
    };
    let directory = await temporaryFolder();
    for (let cut = 1; cut <= cutsEach; cut++) {
      directory = await liveAndLosePower(directory, life);
      await checkStart(directory, life, `seed ${seed}, cut ${cut}`);
    }
    promised.acknowledged += life.book.acknowledgedCount;
    promised.answered += life.book.answeredCount;
  }
  return promised;
}

async function checkStart(directory: string, { book }: Life, context: string): Promise<void> {
  const started = join(await temporaryFolder(), "log");
  await cp(directory, started, { recursive: true });
  const log = await passUntil(openTestLog(started, { disk: hastyDisk })).catch((error: unknown) => {
    throw new Error(context, { cause: error });
  });
  await passUntil(log.close());
  expect(await verifyLog(started), context).toMatchObject({ corrupt: [], truncatedBytes: 0 });
  const audit = await book.audit(readLog(started));
  expect(audit, context).toMatchObject({ lostOutcomes: [], lostImpressions: [], repeated: [], unknown: [] });
}

test("power lost at any moment: every acknowledged outcome is there once, and every impression but the last 50 ms", async () => {
  const { acknowledged, answered } = await liveOften(100, 0);
  expect(acknowledged).toBeGreaterThan(1_000);
  expect(answered).toBeGreaterThan(1_000);
});

test("power lost on a disk whose syncs fail now and then: every acknowledged outcome is there once", async () => {
  expect((await liveOften(40, 0.1)).acknowledged).toBeGreaterThan(400);
});

test("power lost while a segment is repaired after a failed sync: the start finds no damage and nothing twice", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = randomStream(seed, "repair", 0);
    const failed = Promise.withResolvers<void>();
    const stuck = Promise.withResolvers<undefined>();
    let syncs: "taken" | "failing" | "stuck" = "taken";
    // Of those of the repair.
    let taken = seed % 2;
    const disk = await powerCutDisk(await temporaryFolder(), random, async () => {
      if (syncs === "failing") {
        await failed.promise;
        throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
      }
      if (syncs === "taken" || taken-- > 0) return;
      stuck.resolve(undefined);
      await new Promise(() => undefined);
    });
    const log = await passUntil(
      openTestLog(await temporaryFolder(), { disk, clock: { now: () => now, monotonic: () => now } }),
    );
    syncs = "failing";
    for (let i = 0; i < 20; i++) {
      const items = Array.from({ length: 1 + Math.floor(random.next() * 30) }, (_, n) => `t${n}`);
      log.appendOutcomes([outcomeOf(`o${i}`, "r0", "t1")]).catch(() => undefined);
      await log.appendImpression(impressionOf(`r${i}`, "u1", "kd", items));
    }
    syncs = "stuck";
    failed.resolve();
    await passUntil(stuck.promise);
    const directory = await temporaryFolder();
    await disk.cut(directory);
    await passUntil(openTestLog(directory, { disk: hastyDisk }).then((again) => again.close())).catch(
      (error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error });
      },
    );
    const shown: string[] = [];
    for await (const record of readLog(directory))
      if (record.kind === "impression") shown.push(record.requestId);
    expect(shown, `seed ${seed}`).toStrictEqual([...new Set(shown)]);
  }
});

test("power lost while a log is closed that a disk had refused: the start finds no damage", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const stuck = Promise.withResolvers<undefined>();
    let syncs: "taken" | "failing" | "stuck" = "taken";
    const disk = await powerCutDisk(await temporaryFolder(), randomStream(seed, "closed", 0), async () => {
      if (syncs === "failing") throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
      if (syncs === "taken") return;
      stuck.resolve(undefined);
      await new Promise(() => undefined);
    });
    const log = await passUntil(
      openTestLog(await temporaryFolder(), { disk, clock: { now: () => now, monotonic: () => now } }),
    );
    await passUntil(log.appendOutcomes([outcomeOf("o1", "r0", "t1")]));
    syncs = "failing";
    await expect(passUntil(log.appendOutcomes([outcomeOf("o2", "r0", "t1")]))).rejects.toThrow("EIO");
    syncs = "taken";
    while (log.trouble() !== undefined) await pass(1);
    syncs = "stuck";
    log.close().catch(() => undefined);
    await passUntil(stuck.promise);
    const directory = await temporaryFolder();
    await disk.cut(directory);
    const again = await passUntil(openTestLog(directory, { disk: hastyDisk }));
    expect(again.recovery, `seed ${seed}`).toMatchObject({ outcomes: 1 });
    await passUntil(again.close());
  }
});
