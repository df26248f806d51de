/**
 * What every form of the outcome log promises to whoever appends, wherever its disk is. Each form runs this suite in a
 * test file of its own.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { LogRecord, OutcomeLog } from "../../src/domain/outcome-log.ts";
import { eventually } from "../support/eventually.ts";
import {
  counterfactualOf,
  fullImpressionOf,
  impressionOf,
  outcomeOf,
  shadowOf,
} from "../support/log-records.ts";
import { isSettled, namesIn, recordsIn, type TestDisk, testDisk } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Whoever appends to a log has `log`; `end` closes it and all that stands behind it. */
export interface StartedLog {
  readonly log: OutcomeLog;
  end(): Promise<void>;
}

/** Starts a log in a folder that may have been one's before, and writes through `disk`. */
export type StartLog = (directory: string, disk: TestDisk) => Promise<StartedLog>;

const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
const broken = Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
const unavailable = { code: "UNAVAILABLE", retryAfterSeconds: 1 };
const mebibyte = "x".repeat(1024 * 1024);

/** A log's forms may write users and units under other names. */
function withoutNames(record: LogRecord): LogRecord {
  if (record.kind !== "impression") return record;
  const assignments = record.assignments.map((assignment) => ({ ...assignment, unit: "" }));
  return { ...record, userId: "", assignments };
}

/** Lets go with the test at the latest: a log that breaks a promise still ends. */
function held(disk: TestDisk, operation: "sync" | "write"): () => void {
  const release = disk.hold(operation);
  onTestFinished(release);
  return release;
}

export function outcomeLogContract(name: string, start: StartLog): void {
  /** A log that is ended with its test, and its disk. */
  const begin = async () => {
    const directory = await temporaryFolder();
    const disk = testDisk();
    let started = await start(directory, disk);
    onTestFinished(async () => {
      disk.mend();
      await started.end();
    });
    return {
      disk,
      shown: (id: string) => started.log.appendImpression(impressionOf(id, "u1", "kd")),
      happened: (...ids: string[]) => started.log.appendOutcomes(ids.map((id) => outcomeOf(id, "r1", "t1"))),
      compared: (id: string) => started.log.appendShadow(shadowOf(id)),
      log: () => started.log,
      records: () => recordsIn(directory),
      names: () => namesIn(directory),
      async restart() {
        await started.end();
        started = await start(directory, disk);
      },
    };
  };

  describe(`${name}: what is appended`, () => {
    test("is read back as it was, in order, after a close and a new start too", async () => {
      const { log, records, restart } = await begin();
      const [one, other] = [fullImpressionOf("r1", "u1"), impressionOf("r2", "u2", "control")];
      await log().appendImpression(one);
      await log().appendOutcomes([outcomeOf("o1", "r1", "t1"), outcomeOf("o2", "r1", "t2", "like", 0.5)]);
      await log().appendShadow(shadowOf("r1"));
      await log().appendShadow(counterfactualOf("r1"));
      await restart();
      await log().appendImpression(other);
      expect((await records()).map(withoutNames)).toStrictEqual([
        withoutNames(one),
        outcomeOf("o1", "r1", "t1"),
        outcomeOf("o2", "r1", "t2", "like", 0.5),
        shadowOf("r1"),
        counterfactualOf("r1"),
        withoutNames(other),
      ]);
    });

    test("without waiting keeps its order", async () => {
      const { shown, happened, names } = await begin();
      const ids = Array.from({ length: 50 }, (_, i) => `${i}`);
      await Promise.all(ids.map((id) => shown(`r${id}`)));
      await Promise.all(ids.map((id) => happened(`o${id}`)));
      expect(await names()).toStrictEqual([...ids.map((id) => `r${id}`), ...ids.map((id) => `o${id}`)]);
    });

    test("is there before it is answered: an impression and a comparison once written, an outcome once synced", async () => {
      const { disk, shown, happened, compared, names } = await begin();
      const release = held(disk, "sync");
      const acknowledged = happened("o1");
      await shown("r1");
      await compared("r1");
      expect(new Set(await names())).toStrictEqual(new Set(["r1", "o1"]));
      expect(await isSettled(acknowledged)).toBe(false);
      release();
      expect(await acknowledged).toMatchObject({ accepted: 1 });
    });
  });

  describe(`${name}: an outcome`, () => {
    test("is taken once: within a batch, across batches and across starts", async () => {
      const { shown, happened, names, restart } = await begin();
      await shown("r1");
      expect(await happened("o1", "o2", "o1")).toStrictEqual({ accepted: 2, duplicates: 1, unmatched: 0 });
      expect(await happened("o2")).toStrictEqual({ accepted: 0, duplicates: 1, unmatched: 0 });
      await restart();
      expect(await happened("o1", "o3", "o2")).toStrictEqual({ accepted: 1, duplicates: 2, unmatched: 0 });
      expect(await names()).toStrictEqual(["r1", "o1", "o2", "o3"]);
    });

    test("that comes again while the first is under way is not acknowledged before that is durable", async () => {
      const { disk, shown, happened } = await begin();
      const release = held(disk, "sync");
      const sent = [happened("o1"), happened("o1")];
      await shown("r1");
      sent.push(happened("o1"));
      expect(await isSettled(Promise.race(sent))).toBe(false);
      release();
      expect(await Promise.all(sent)).toStrictEqual([
        { accepted: 1, duplicates: 0, unmatched: 1 },
        { accepted: 0, duplicates: 1, unmatched: 0 },
        { accepted: 0, duplicates: 1, unmatched: 0 },
      ]);
    });

    test("of a request that was never shown is taken and counted as unmatched", async () => {
      const { log, shown, restart } = await begin();
      const answering = (...requestIds: string[]): Outcome[] =>
        requestIds.map((id) => outcomeOf(`o-${id}`, id, "t1"));
      await shown("r1");
      expect(await log().appendOutcomes(answering("r1", "r8"))).toMatchObject({ accepted: 2, unmatched: 1 });
      await restart();
      expect(await log().appendOutcomes(answering("r8", "r9"))).toMatchObject({ accepted: 1, unmatched: 1 });
      await shown("r2");
      expect(await log().appendOutcomes(answering("r2"))).toMatchObject({ accepted: 1, unmatched: 0 });
    });
  });

  describe(`${name}: a disk that refuses`, () => {
    test("writes: outcomes and comparisons are refused, impressions wait and are written once, in order", async () => {
      const { disk, shown, happened, compared, names, restart } = await begin();
      await shown("r1");
      await happened("o1");
      disk.fail("write", full);
      await expect(happened("o2")).rejects.toMatchObject(unavailable);
      await expect(happened("o2")).rejects.toThrow("the disk refuses: ENOSPC");
      await expect(compared("r1")).rejects.toMatchObject(unavailable);
      await shown("r2");
      await shown("r3");
      disk.mend();
      expect(await eventually(() => happened("o2"))).toMatchObject({ accepted: 1, duplicates: 0 });
      await shown("r4");
      expect(await names()).toStrictEqual(["r1", "o1", "r2", "r3", "o2", "r4"]);
      await restart();
      expect(await names()).toStrictEqual(["r1", "o1", "r2", "r3", "o2", "r4"]);
    });

    test("a sync: its outcomes are refused, their duplicates with them, and gone; answered impressions stay", async () => {
      const { disk, shown, happened, names } = await begin();
      await happened("o1");
      await shown("r1");
      disk.fail("sync", broken);
      const sent = Promise.allSettled([happened("o2"), happened("o2")]);
      await shown("r2");
      const refused = { status: "rejected", reason: expect.objectContaining(unavailable) };
      expect(await sent).toMatchObject([refused, refused]);
      disk.mend();
      expect(await eventually(() => happened("o2"))).toMatchObject({ accepted: 1, duplicates: 0 });
      expect(await names()).toStrictEqual(["o1", "r1", "r2", "o2"]);
    });

    test("to go on has no more wait for it than the memory bears", async () => {
      const { disk, log, happened, names } = await begin();
      const release = held(disk, "write");
      const sent = Array.from({ length: 70 }, (_, i) =>
        log().appendOutcomes([outcomeOf(`o${i}`, "r1", mebibyte)]),
      );
      const settled = Promise.allSettled(sent);
      await expect(sent[69]).rejects.toMatchObject(unavailable);
      await expect(sent[69]).rejects.toThrow(/is behind by \d+ bytes/);
      release();
      const taken = (await settled).flatMap(({ status }, i) => (status === "fulfilled" ? [`o${i}`] : []));
      expect(taken.length).toBeGreaterThan(20);
      await happened("last");
      expect(await names()).toStrictEqual([...taken, "last"]);
    });
  });

  test(`${name}: a record that is too large is refused, and nothing that came with it is harmed`, async () => {
    const { log, shown, happened, names } = await begin();
    const huge = mebibyte.repeat(17);
    const invalid = { code: "INVALID_ARGUMENT", message: expect.stringContaining("at most 16777216") };
    const before = shown("r1");
    await expect(log().appendImpression(impressionOf("huge", "u1", "kd", [huge]))).rejects.toMatchObject(
      invalid,
    );
    await expect(
      log().appendOutcomes([outcomeOf("o1", "r1", "t1"), outcomeOf("huge", "r1", huge)]),
    ).rejects.toMatchObject(invalid);
    await before;
    // None of a batch is taken that one of its outcomes is refused of.
    expect(await happened("o1")).toStrictEqual({ accepted: 1, duplicates: 0, unmatched: 0 });
    expect(await names()).toStrictEqual(["r1", "o1"]);
  });

  test(`${name}: a close has what was appended acknowledged, and what comes after it refused`, async () => {
    const { log, shown, happened, compared, names, restart } = await begin();
    const before = [shown("r1"), compared("r1"), happened("o1", "o2")];
    const closed = log().close();
    for (const late of [shown("late"), compared("late"), happened("late")]) {
      await expect(late).rejects.toMatchObject(unavailable);
      await expect(late).rejects.toThrow("the outcome log is closed");
    }
    expect((await Promise.all(before))[2]).toMatchObject({ accepted: 2 });
    await closed;
    await log().close();
    await restart();
    expect((await names()).toSorted()).toStrictEqual(["o1", "o2", "r1", "r1"]);
  });
}
