import { expect, onTestFinished, test } from "vitest";
import { Fleet, type FleetOptions, type Member } from "../../src/processes/fleet.ts";
import { eventually } from "../support/eventually.ts";

/** A process that does what the test says. */
class FakeProcess implements Member {
  readonly number: number;
  readonly #load = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<string>();
  readonly loaded = this.#load.promise;
  readonly ended = this.#end.promise;
  readonly does: string[] = [];
  drains: () => Promise<void> = async () => undefined;
  serves: () => Promise<void> = async () => undefined;

  constructor(number: number) {
    this.number = number;
  }

  load(): void {
    this.#load.resolve();
  }

  refuse(message: string): void {
    this.#load.reject(new Error(message));
  }

  end(how: string): void {
    this.#end.resolve(how);
  }

  async serve(): Promise<void> {
    await this.serves();
    this.does.push("serve");
  }

  async drain(): Promise<void> {
    this.does.push("drain");
    await this.drains();
    this.end("with exit code 0");
  }

  kill(): void {
    this.does.push("kill");
    this.end("by SIGKILL");
  }
}

function fleetOf(serving: number, changes: Partial<FleetOptions> = {}) {
  const processes: FakeProcess[] = [];
  const said: string[] = [];
  const waits: number[] = [];
  const fleet = new Fleet({
    serving,
    start(number) {
      const process = new FakeProcess(number);
      processes.push(process);
      return process;
    },
    clock: { now: () => 0, monotonic: () => 0 },
    onEnd: ({ number, how, why }) => said.push(`${number} ended ${how} ${why}`.trim()),
    onReplace: ({ number }) => said.push(`${number} replaces`),
    startMsMax: 60_000,
    drainMsMax: 1_000,
    startWaitMs(failures) {
      waits.push(failures);
      return 0;
    },
    ...changes,
  });
  onTestFinished(() => fleet.close().catch(() => undefined));
  const at = (number: number): FakeProcess => processes[number - 1] as FakeProcess;
  const there = (count: number): Promise<void> => eventually(() => expect(processes).toHaveLength(count));
  return { fleet, processes, said, waits, at, there };
}

async function servingFleet(serving: number, changes: Partial<FleetOptions> = {}) {
  const test = fleetOf(serving, changes);
  const loading = test.fleet.load();
  for (const process of test.processes) process.load();
  await loading;
  await test.fleet.serve();
  await test.there(serving + 1);
  return test;
}

test("so many serve, and one more is loaded and stands by", async () => {
  const { fleet, at } = await servingFleet(2);
  expect(fleet.counts).toEqual({ serving: 2, standby: 0, starting: 1, ended: 0 });
  at(3).load();
  await eventually(() => expect(fleet.counts).toEqual({ serving: 2, standby: 1, starting: 0, ended: 0 }));
  expect(at(3).does).toEqual([]);
});

test("the one that stands by takes the place of one that ends, and another is started", async () => {
  const { fleet, at, said, there } = await servingFleet(2);
  at(3).load();
  await eventually(() => expect(fleet.counts.standby).toBe(1));
  at(1).end("by SIGSEGV");
  await eventually(() => expect(at(3).does).toEqual(["serve"]));
  await there(4);
  expect(said).toEqual(["1 ended by SIGSEGV", "3 replaces"]);
  expect(fleet.counts).toEqual({ serving: 2, standby: 0, starting: 1, ended: 1 });
});

test("where more end than stand by, those that are started serve once they are loaded", async () => {
  const { fleet, at, there } = await servingFleet(2);
  at(1).end("by SIGKILL");
  at(2).end("by SIGKILL");
  await there(5);
  for (const number of [3, 4, 5]) at(number).load();
  await eventually(() => expect(fleet.counts).toEqual({ serving: 2, standby: 1, starting: 0, ended: 2 }));
});

test("a start that fails is tried again after growing waits, and for ever while another serves", async () => {
  const { fleet, at, said, waits, there } = await servingFleet(1);
  for (let number = 2; number <= 12; number++) {
    at(number).refuse("no memory");
    await there(number + 1);
  }
  expect(waits).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(said[0]).toBe("2 ended by SIGKILL no memory");
  at(13).load();
  await eventually(() => expect(fleet.counts).toEqual({ serving: 1, standby: 1, starting: 0, ended: 11 }));
});

test("processes that fail together count as one failure", async () => {
  const { fleet, at, waits, there } = await servingFleet(3);
  for (const number of [1, 2, 3]) at(number).end("by SIGKILL");
  await there(7);
  for (const number of [4, 5, 6, 7]) at(number).refuse("no memory");
  await there(11);
  expect(waits).toEqual([1]);
  expect(fleet.counts).toEqual({ serving: 0, standby: 0, starting: 4, ended: 7 });
});

test("a process that ends is replaced at once, however long the next start would have been waited for", async () => {
  const { at, there } = await servingFleet(1, { startWaitMs: () => 1_000_000 });
  at(2).refuse("no memory");
  await new Promise((resolve) => setTimeout(resolve, 10));
  at(1).end("by SIGKILL");
  await there(4);
});

test("one that loads and then cannot serve is a start that failed, with its reason", async () => {
  const { fleet, at, said, waits, processes, there } = await servingFleet(1);
  at(1).end("by SIGKILL");
  await there(3);
  const lost = expect(fleet.lost).rejects.toThrow("failed 7 times in a row: the port is in use");
  const fails = (number: number): void => {
    at(number).serves = () => Promise.reject(new Error("the port is in use"));
    at(number).load();
  };
  for (let number = 2; number <= 13; number += 2) {
    fails(number);
    fails(number + 1);
    await there(number + 3);
  }
  fails(14);
  fails(15);
  await lost;
  expect(processes).toHaveLength(15);
  expect(waits).toEqual([1, 2, 3, 4, 5, 6]);
  expect(said.slice(0, 2)).toEqual(["1 ended by SIGKILL", "2 ended by SIGKILL the port is in use"]);
});

test("where none serves and none can be started, the fleet is lost with the reason", async () => {
  const { fleet, at, processes, there } = await servingFleet(1);
  at(1).end("by SIGKILL");
  await there(3);
  const lost = expect(fleet.lost).rejects.toThrow(
    "no process is left, and new ones failed 7 times in a row: no memory",
  );
  for (let number = 2; number <= 8; number++) {
    await there(number + 1);
    at(number).refuse("no memory");
  }
  await eventually(() => expect(processes.length).toBe(9));
  at(9).refuse("no memory");
  await lost;
});

test("a start that fails before anyone serves ends the start, and every process", async () => {
  const { fleet, at } = fleetOf(2);
  const loading = fleet.load();
  at(1).load();
  at(2).refuse("models: nothing there");
  await expect(loading).rejects.toThrow("models: nothing there");
  expect(at(1).does).toEqual(["kill"]);
});

test("a start that takes too long ends the start, and later is one that failed", async () => {
  const { fleet, at } = fleetOf(2, { startMsMax: 20 });
  const loading = fleet.load();
  at(1).load();
  await expect(loading).rejects.toThrow("it was not loaded within 0.02 s");
  expect(at(2).does).toEqual(["kill"]);

  const later = await servingFleet(1, { startMsMax: 20 });
  await eventually(() => expect(later.said.length).toBeGreaterThan(0));
  expect(later.at(2).does).toEqual(["kill"]);
  expect(later.said[0]).toBe("2 ended by SIGKILL it was not loaded within 0.02 s");
  expect(later.fleet.counts.serving).toBe(1);
});

test("a system that makes no process counts as a start that failed", async () => {
  const { fleet } = fleetOf(1, {
    start() {
      throw new Error("spawn EAGAIN");
    },
  });
  await expect(fleet.load()).rejects.toThrow("spawn EAGAIN");

  const { fleet: later, said } = fleetOf(1, {
    start(number) {
      if (number > 1) throw new Error("spawn EMFILE");
      const first = new FakeProcess(number);
      first.load();
      return first;
    },
    startWaitMs: () => 1_000_000,
  });
  await later.load();
  await later.serve();
  await eventually(() => expect(said).toEqual(["2 ended before it began: spawn EMFILE"]));
});

test("closing drains those that serve, ends the others, and replaces nobody", async () => {
  const { fleet, at, processes, said } = await servingFleet(2);
  await fleet.close();
  expect(processes.map(({ does }) => does)).toEqual([["serve", "drain"], ["serve", "drain"], ["kill"]]);
  expect(at(1).number).toBe(1);
  expect(said).toEqual([]);
});

test("a drain that is cut off is told", async () => {
  const { fleet, at } = await servingFleet(2, { drainMsMax: 20 });
  at(2).drains = () => at(2).ended.then(() => Promise.reject(new Error("it has ended")));
  await expect(fleet.close()).rejects.toThrow("process 2 ended before all that it had accepted was answered");
  expect(at(2).does).toEqual(["serve", "drain", "kill"]);
});
