import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import type { EncodedRequest } from "../../src/domain/feature-store.ts";
import { isolations } from "../../src/domain/isolation.ts";
import type { Scorer } from "../../src/domain/scorer.ts";
import { spawners } from "../../src/inference/worker-isolation.ts";
import type { SpawnWorker } from "../../src/inference/worker-link.ts";
import { eventually } from "../support/eventually.ts";
import { mortalWorkers, observeWorkers } from "../support/observed-workers.ts";
import { splitModel } from "../support/split-model.ts";
import { linearRequest, openTinyScorer } from "../support/tiny-models.ts";

const linear = { name: "linear", version: "1" };
const never = Number.POSITIVE_INFINITY;
const slotsMax = 24;

/** A table that many requests share, as the feature store's: popularity is what a slot holds, and rows are rewritten. */
class SharedTable {
  versions = new Uint32Array(slotsMax);
  popularity = new Float32Array(slotsMax);
  tensors = [undefined, undefined, new Float32Array(slotsMax * 3), new Int32Array(slotsMax * 3)] as const;

  /** As the feature store's table does where more rows are in use than it has slots. */
  double(): void {
    const slots = this.versions.length * 2;
    const { versions, popularity, tensors } = this;
    this.versions = new Uint32Array(slots);
    this.popularity = new Float32Array(slots);
    this.tensors = [undefined, undefined, new Float32Array(slots * 3), new Int32Array(slots * 3)];
    this.versions.set(versions);
    this.popularity.set(popularity);
    this.tensors[2].set(tensors[2]);
  }

  write(slot: number, popularity: number): void {
    this.versions[slot] = (this.versions[slot] as number) + 1;
    this.popularity[slot] = popularity;
    this.tensors[2][slot * 3] = popularity;
  }

  request(taste: number, slots: readonly number[]): EncodedRequest {
    const { tensors } = linearRequest(taste, 0, []);
    return {
      ...linearRequest(
        taste,
        0,
        slots.map(() => [0, 0]),
      ),
      tensors,
      table: this,
      slots: Int32Array.from(slots),
    };
  }

  /** Clicks by hand: 0.5 popularity + 0.25 taste. */
  clicks(taste: number, slots: readonly number[]): number[] {
    return slots.map((slot) => 0.5 * (this.popularity[slot] as number) + 0.25 * taste);
  }
}

async function openSplit(workers: number, spawn: SpawnWorker = spawners.thread): Promise<Scorer> {
  const { repository } = await splitModel();
  return openTinyScorer({ repository, batchRowsMax: 40, workers, spawn });
}

function clicksOf(probabilities: Float32Array): number[] {
  return [...probabilities].filter((_, index) => index % 2 === 0);
}

const slot = fc.integer({ min: 0, max: slotsMax - 1 });
const share = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
const rounds = fc.array(
  fc.record({
    rewritten: fc.array(fc.tuple(slot, share), { maxLength: 10 }),
    asked: fc.array(fc.tuple(share, fc.uniqueArray(slot, { minLength: 1, maxLength: 12 })), {
      minLength: 1,
      maxLength: 8,
    }),
  }),
  { minLength: 1, maxLength: 6 },
);

test.each([
  [1, "thread"],
  [2, "thread"],
  [2, "process"],
] as const)(
  "with %i workers, each a %s, rows that are kept, new or rewritten score as what stands in the table",
  async (workers, isolation) => {
    const scorer = await openSplit(workers, spawners[isolation]);
    await fc.assert(
      fc.asyncProperty(rounds, async (sequence) => {
        const table = new SharedTable();
        for (let at = 0; at < slotsMax; at++) table.write(at, at / slotsMax);
        for (const { rewritten, asked } of sequence) {
          for (const [at, popularity] of rewritten) table.write(at, popularity);
          const all = await Promise.all(
            asked.map(([taste, slots]) => scorer.score(linear, table.request(taste, slots), never)),
          );
          for (const [index, { probabilities }] of all.entries()) {
            const [taste, slots] = asked[index] as (typeof asked)[number];
            const expected = table.clicks(taste, slots);
            const furthest = clicksOf(probabilities).map((click, row) =>
              Math.abs(click - (expected[row] as number)),
            );
            expect(probabilities).toHaveLength(slots.length * 2);
            expect(Math.max(...furthest)).toBeLessThan(1e-6);
          }
        }
      }),
      { numRuns: 60 },
    );
  },
);

test("rows that could not be sent are sent with the next run", async () => {
  const scorer = await openSplit(1);
  const table = new SharedTable();
  for (let at = 0; at < slotsMax; at++) table.write(at, at / slotsMax);
  const { tensors } = table;
  const before = scorer.score(linear, table.request(0, [1]), never);
  const failed = scorer.score(linear, table.request(0, [7, 8]), never);
  // As where there is no memory for what is to be sent.
  Object.defineProperty(table, "tensors", {
    configurable: true,
    get() {
      throw new RangeError("Array buffer allocation failed");
    },
  });
  await before;
  await expect(failed).rejects.toMatchObject({ code: "UNAVAILABLE" });
  Object.defineProperty(table, "tensors", { value: tensors });
  const { probabilities } = await scorer.score(linear, table.request(0.4, [7, 8]), never);
  for (const [row, expected] of table.clicks(0.4, [7, 8]).entries()) {
    expect(clicksOf(probabilities)[row]).toBeCloseTo(expected, 6);
  }
});

test("rows that a worker has are scored as they were once the table has grown", async () => {
  const scorer = await openSplit(1);
  const table = new SharedTable();
  for (let at = 0; at < slotsMax; at++) table.write(at, at / slotsMax);
  await scorer.score(linear, table.request(0, [5, 6]), never);
  table.double();
  table.write(slotsMax, 0.75);
  const { probabilities } = await scorer.score(linear, table.request(0.4, [5, slotsMax, 6]), never);
  for (const [row, expected] of table.clicks(0.4, [5, slotsMax, 6]).entries()) {
    expect(clicksOf(probabilities)[row]).toBeCloseTo(expected, 6);
  }
});

test("an item is sent to a worker once, and again only when its row has changed", async () => {
  const workers = observeWorkers();
  const scorer = await openSplit(1, workers.spawn);
  const sent: number[] = [];
  const [worker] = workers.started;
  const post = worker?.post;
  if (worker !== undefined && post !== undefined) {
    worker.post = (order, transfer) => {
      sent.push((order.kind === "run-split" && order.items?.candidates) || 0);
      post(order, transfer);
    };
  }
  const table = new SharedTable();
  for (let at = 0; at < slotsMax; at++) table.write(at, 0.5);
  await scorer.score(linear, table.request(0, [1, 2, 3]), never);
  await scorer.score(linear, table.request(0, [3, 2, 1, 4]), never);
  table.write(2, 0.75);
  await scorer.score(linear, table.request(0, [1, 2, 3]), never);
  expect(sent).toEqual([3, 1, 1]);
});

test.each(isolations)("a %s that replaces a dead one is sent what its predecessor had", async (isolation) => {
  const workers = observeWorkers(mortalWorkers[isolation]);
  const scorer = await openSplit(1, workers.spawn);
  onTestFinished(() => scorer.close());
  const table = new SharedTable();
  for (let at = 0; at < slotsMax; at++) table.write(at, at / slotsMax);
  await scorer.score(linear, table.request(0.4, [5, 6]), never);
  workers.started[0]?.tell("die");
  await eventually(() => expect(workers.started).toHaveLength(2));
  const { probabilities } = await scorer.score(linear, table.request(0.4, [6, 5]), never);
  for (const [row, expected] of table.clicks(0.4, [6, 5]).entries()) {
    expect(clicksOf(probabilities)[row]).toBeCloseTo(expected, 6);
  }
});

test("a run that was sent ahead of one that failed is not scored from rows that never came", async () => {
  const workers = observeWorkers();
  const { repository } = await splitModel();
  const scorer = await openTinyScorer({ repository, batchRowsMax: 3, spawn: workers.spawn });
  const table = new SharedTable();
  for (let at = 0; at < slotsMax; at++) table.write(at, at / slotsMax);
  workers.runs.length = 0;
  // A row that no slab has breaks the first run; the second, a full batch, is under way by then and relies on it.
  const broken = scorer.score(linear, table.request(0, [7, 8, slotsMax + 5]), never);
  const ahead = scorer.score(linear, table.request(0.4, [8, 7, 9]), never);
  expect(workers.runs).toEqual([1, 1]);
  await expect(broken).rejects.toMatchObject({ code: "UNAVAILABLE" });
  const { probabilities } = await ahead;
  for (const [row, expected] of table.clicks(0.4, [8, 7, 9]).entries()) {
    expect(clicksOf(probabilities)[row]).toBeCloseTo(expected, 6);
  }
  // Asked again, once the slab was filled anew.
  expect(workers.runs).toEqual([1, 1, 1]);
});
