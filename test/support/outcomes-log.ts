/** Logs in temporary folders, and disks that fail or wait on demand, for the tests of the outcome log. */
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { type Disk, type LogFile, realDisk } from "../../src/outcomes/disk.ts";
import {
  type OpenedOutcomeLog,
  type OutcomeLogOptions,
  openOutcomeLog,
  readLog,
} from "../../src/outcomes/outcomes.ts";

export interface Warning {
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** A log with large segments and no sync by the clock, at a time within a week of `log-records.ts`, but for `changes`. */
export function openTestLog(
  directory: string,
  changes: Partial<OutcomeLogOptions> = {},
): Promise<OpenedOutcomeLog> {
  return openOutcomeLog({
    directory,
    segmentBytesMax: 1024 * 1024,
    syncIntervalMs: 60_000,
    clock: { now: () => Date.parse("2026-11-22T13:00:00.000Z"), monotonic: () => performance.now() },
    ...changes,
  });
}

export async function recordsIn(directory: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of readLog(directory)) records.push(record);
  return records;
}

/** `r1` of an impression or a comparison, `o1` of an outcome, in the order of the log. */
export async function namesIn(directory: string): Promise<string[]> {
  return (await recordsIn(directory)).map((record) =>
    record.kind === "outcome" ? record.outcomeId : record.requestId,
  );
}

export async function segmentsIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => /\.(seg|open)$/.test(name)).sort();
}

type Operation = "create" | "write" | "sync" | "truncate" | "rename" | "syncDirectory";

/** The real disk, counted; an operation can be made to fail, to write only half, or to wait. */
export interface TestDisk extends Disk {
  /** How often each was called, and how many bytes each `write` had. */
  readonly calls: Record<Operation, number>;
  /** Fails every call from now on with this error; `mend` ends it. A failing `write` has written half. */
  fail(operation: Operation, error: Error): void;
  mend(): void;
  /** Holds every call from now on back, until the function that it answers with is called. */
  hold(operation: Operation): () => void;
}

export function testDisk(): TestDisk {
  const calls: Record<Operation, number> = {
    create: 0,
    write: 0,
    sync: 0,
    truncate: 0,
    rename: 0,
    syncDirectory: 0,
  };
  const failures = new Map<Operation, Error>();
  const held = new Map<Operation, Promise<void>>();
  const before = async (operation: Operation): Promise<void> => {
    calls[operation]++;
    await held.get(operation);
    const failure = failures.get(operation);
    if (failure !== undefined) throw failure;
  };
  const wrapped = (file: LogFile): LogFile => ({
    ...file,
    async write(buffers, position) {
      calls.write++;
      await held.get("write");
      const failure = failures.get("write");
      if (failure === undefined) return await file.write(buffers, position);
      const all = Buffer.concat(buffers);
      await file.write([all.subarray(0, all.length / 2)], position);
      throw failure;
    },
    async sync() {
      await before("sync");
      await file.sync();
    },
    async truncate(bytes) {
      await before("truncate");
      await file.truncate(bytes);
    },
  });
  return {
    ...realDisk,
    calls,
    fail: (operation, error) => failures.set(operation, error),
    mend: () => failures.clear(),
    hold(operation) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(operation, promise);
      return () => {
        held.delete(operation);
        resolve();
      };
    },
    async create(path) {
      await before("create");
      return wrapped(await realDisk.create(path));
    },
    async rename(from, to) {
      await before("rename");
      await realDisk.rename(from, to);
    },
    async syncDirectory(path) {
      await before("syncDirectory");
      await realDisk.syncDirectory(path);
    },
  };
}

/** True where the promise has settled by the time everything that is under way got its turn. */
export async function isSettled(promise: Promise<unknown>, withinMs = 50): Promise<boolean> {
  const late = Symbol("late");
  const first = await Promise.race([
    promise.then(
      () => undefined,
      () => undefined,
    ),
    new Promise((resolve) => setTimeout(() => resolve(late), withinMs)),
  ]);
  return first !== late;
}

/** The real disk without its waits: for tests that start a hundred logs, and pull no plug. */
export const hastyDisk: Disk = {
  ...realDisk,
  create: async (path) => ({ ...(await realDisk.create(path)), sync: async () => undefined }),
  open: async (path) => ({ ...(await realDisk.open(path)), sync: async () => undefined }),
  syncDirectory: async () => undefined,
};

/** The segments as a server leaves them that ends this moment, without a chance to do anything. */
export async function killedCopy(directory: string, to: string): Promise<string> {
  await mkdir(to, { recursive: true });
  for (const name of await segmentsIn(directory)) await copyFile(join(directory, name), join(to, name));
  return to;
}
