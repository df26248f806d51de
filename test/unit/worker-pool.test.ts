import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import { NotBegunError } from "../../src/inference/remote-worker.ts";
import { WorkerPool } from "../../src/inference/worker-pool.ts";
import { linkToProcess } from "../../src/inference/worker-process.ts";
import { linkToThread } from "../../src/inference/worker-thread.ts";
import { eventually } from "../support/eventually.ts";

const endsAtItsFirstOrder =
  "require('node:worker_threads').parentPort.once('message', () => process.exit(1))";

test("a worker that keeps dying is given up after a bounded number of tries, and the pool says so", async () => {
  const warnings: string[] = [];
  const tries: number[] = [];
  const onChange = vi.fn();
  const pool = await WorkerPool.open({
    workers: 1,
    spawn: (events) => linkToThread(new Worker("process.exit(7)", { eval: true }), events),
    prepare: async () => [0],
    onChange,
    onWarning: (warning) => warnings.push(warning),
    restartWaitMs: (failures) => {
      tries.push(failures);
      return 1;
    },
  });
  await eventually(() => expect(pool.isUsable).toBe(false));
  expect(tries).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(pool.hasIdle).toBe(false);
  expect(warnings.at(-1)).toBe(
    "an inference worker died (exit code 7); given up after 9 failures in a row, 0 of 1 workers left; restart the server once the cause is mended",
  );
  // The one who waits is told, to refuse what is in the queue.
  expect(onChange).toHaveBeenCalled();
  await expect(pool.run(0, () => ({ order: { kind: "exit" }, transfer: [] }))).rejects.toThrow(
    "no inference worker is idle",
  );
  await pool.close();
});

test("a replacement that cannot be made ready counts as a failure", async () => {
  const warnings: string[] = [];
  let prepared = 0;
  const pool = await WorkerPool.open({
    workers: 1,
    spawn: (events) => linkToThread(new Worker(endsAtItsFirstOrder, { eval: true }), events),
    prepare: async () => {
      prepared += 1;
      if (prepared > 1) throw new Error("the model's file is gone");
      return [0];
    },
    onChange: () => undefined,
    onWarning: (warning) => warnings.push(warning),
    restartWaitMs: () => 1,
  });
  await expect(pool.run(0, () => ({ order: { kind: "exit" }, transfer: [] }))).rejects.toThrow(
    "the inference worker ended: exit code 1",
  );
  await eventually(() => expect(pool.isUsable).toBe(false));
  expect(prepared).toBe(10);
  expect(warnings.at(-1)).toMatch(
    /^an inference worker could not be replaced \(the model's file is gone\); given up/,
  );
  await pool.close();
});

test("a process that could not be started, for want of file descriptors, is tried again", async () => {
  // What `fork` answers then: no channel, so no `send`, and the events of the next turn.
  const noProcess = (): ChildProcess => {
    const child = Object.assign(new EventEmitter(), { connected: false, pid: undefined });
    setImmediate(() => {
      child.emit("error", new Error("spawn node EMFILE"));
      child.emit("close", -24, null);
    });
    return child as unknown as ChildProcess;
  };
  let spawned = 0;
  const warnings: string[] = [];
  const onChange = vi.fn();
  const pool = await WorkerPool.open({
    workers: 1,
    spawn(events) {
      spawned += 1;
      if (spawned === 2) return linkToProcess(noProcess(), events);
      return linkToThread(new Worker(endsAtItsFirstOrder, { eval: true }), events);
    },
    async prepare(worker) {
      if (spawned === 2) await worker.call({ kind: "count-operators", model: 0 });
      return [0];
    },
    onChange,
    onWarning: (warning) => warnings.push(warning),
    restartWaitMs: () => 1,
  });
  await expect(pool.run(0, () => ({ order: { kind: "exit" }, transfer: [] }))).rejects.toThrow("exit code 1");
  await eventually(() => expect(onChange).toHaveBeenCalledOnce());
  expect(pool.hasIdle).toBe(true);
  expect(warnings.at(-1)).toMatch("(the inference worker ended: spawn node EMFILE); replaced in 1 ms");
  await pool.close();
});

test("a process that hangs in a run is ended and replaced, and whoever waited behind it is told that it was not begun", async () => {
  const hangs = spawn(process.execPath, ["-e", "process.on('message', () => { for (;;); })"], {
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let spawned = 0;
  const onChange = vi.fn();
  const warnings: string[] = [];
  const pool = await WorkerPool.open({
    workers: 1,
    spawn(events) {
      spawned += 1;
      if (spawned === 1) return linkToProcess(hangs, events);
      return linkToThread(new Worker(endsAtItsFirstOrder, { eval: true }), events);
    },
    prepare: async () => [0],
    onChange,
    onWarning: (warning) => warnings.push(warning),
    runMsMax: 300,
  });
  const order = () => ({ order: { kind: "count-operators", model: 0 } as const, transfer: [] });
  const [inside, behind] = await Promise.allSettled([pool.run(0, order), pool.run(0, order)]);
  expect(inside).toMatchObject({ reason: { message: "the inference worker ended: SIGKILL" } });
  expect(behind).toMatchObject({ reason: expect.any(NotBegunError) });
  await eventually(() => expect(onChange).toHaveBeenCalledOnce());
  expect(pool.hasIdle).toBe(true);
  expect(warnings).toEqual([
    "an inference worker died (SIGKILL); replaced at once (failure 1 of 9 in a row)",
  ]);
  await pool.close();
});
