import { expect, test } from "vitest";
import { AskedProcesses } from "../../src/processes/processes.ts";
import { createTelemetry, type MetricsSnapshot, SummedMetrics } from "../../src/telemetry/telemetry.ts";
import { impressionOf } from "../support/log-records.ts";

const clock = { now: () => 0, monotonic: () => 0 };
const counts = () => ({ serving: 2, standby: 0, starting: 0, ended: 0 });

function process() {
  const { observer, snapshot } = createTelemetry({ clock, logLevel: "fatal" });
  return { ranked: () => observer.ranked(impressionOf("r1", "u1", "kd")), snapshot };
}

/** As the process that supervises puts them together. */
function collected() {
  const sums = new SummedMetrics(counts);
  const asked = new AskedProcesses<MetricsSnapshot>((number, said) => sums.note(number, said));
  return {
    join: asked.join.bind(asked),
    leave(number: number): void {
      asked.leave(number);
      sums.ended(number);
    },
    async render(): Promise<string> {
      await asked.ask();
      return sums.render();
    },
  };
}

async function countIn(metrics: ReturnType<typeof collected>): Promise<number> {
  const series = 'setlist_rank_candidates_count{surface="home"} ';
  const line = (await metrics.render()).split("\n").find((one) => one.startsWith(series));
  return Number(line?.split(" ").at(-1));
}

test("a process that does not answer in time is counted with what it said last, and is not asked again", async () => {
  const [one, other] = [process(), process()];
  one.ranked();
  other.ranked();
  const metrics = collected();
  let asked = 0;
  let hangs = false;
  const answer = Promise.withResolvers<MetricsSnapshot>();
  metrics.join(1, one.snapshot);
  metrics.join(2, () => {
    asked += 1;
    return hangs ? answer.promise : other.snapshot();
  });
  expect(await countIn(metrics)).toBe(2);
  hangs = true;
  one.ranked();
  expect(await countIn(metrics)).toBe(3);
  one.ranked();
  expect(await countIn(metrics)).toBe(4);
  expect(asked).toBe(2);
  other.ranked();
  answer.resolve(await other.snapshot());
  hangs = false;
  await answer.promise;
  expect(await countIn(metrics)).toBe(5);
});

test("what a process says after it has left is not counted twice", async () => {
  const one = process();
  one.ranked();
  const late = Promise.withResolvers<MetricsSnapshot>();
  const answers = [one.snapshot(), late.promise];
  const metrics = collected();
  metrics.join(1, () => answers.shift() as Promise<MetricsSnapshot>);
  expect(await countIn(metrics)).toBe(1);
  const rendering = metrics.render();
  metrics.leave(1);
  late.resolve(await one.snapshot());
  await rendering;
  expect(await countIn(metrics)).toBe(1);
});
