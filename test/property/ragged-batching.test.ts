import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EncodedRequest } from "../../src/domain/feature-store.ts";
import { isolations } from "../../src/domain/isolation.ts";
import type { Model } from "../../src/domain/model.ts";
import type { Scorer } from "../../src/domain/scorer.ts";
import { joinRequests, splitProbabilities, tensorsOf } from "../../src/inference/ragged-batch.ts";
import { spawners } from "../../src/inference/worker-isolation.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { encodedRequest } from "../support/encoded-request.ts";
import { observeWorkers } from "../support/observed-workers.ts";
import { drawRequest, linearRequest, openTinyScorer } from "../support/tiny-models.ts";

const never = Number.POSITIVE_INFINITY;
const curved = { name: "curved", version: "1" };

/** Candidate counts of requests that arrive together, and a seed for what is in them. */
const mixes = fc.record({
  counts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 12 }),
  seed: fc.integer(),
});

async function scoreAlone(scorer: Scorer, requests: readonly EncodedRequest[]): Promise<Float32Array[]> {
  const scores: Float32Array[] = [];
  for (const request of requests) scores.push((await scorer.score(curved, request, never)).probabilities);
  return scores;
}

async function scoreTogether(scorer: Scorer, requests: readonly EncodedRequest[]): Promise<Float32Array[]> {
  const scores = requests.map((request) => scorer.score(curved, request, never));
  return (await Promise.all(scores)).map((score) => score.probabilities);
}

/** The largest difference of any two scores; infinite where the shapes differ. */
function furthest(some: readonly Float32Array[], others: readonly Float32Array[]): number {
  const flat = [...some].flatMap((scores) => [...scores]);
  const otherFlat = [...others].flatMap((scores) => [...scores]);
  const sameShape = some.every((scores, index) => scores.length === others[index]?.length);
  if (!sameShape) return Number.POSITIVE_INFINITY;
  return Math.max(...flat.map((p, index) => Math.abs(p - (otherFlat[index] ?? Number.POSITIVE_INFINITY))));
}

test.each(isolations)(
  "a batch answers each request as if it had come alone, whatever the mix of candidate counts (in a %s)",
  async (isolation) => {
    const workers = observeWorkers(spawners[isolation]);
    // No room for all: some mixes take several runs, and their borders fall anywhere.
    const scorer = await openTinyScorer({ models: [curved], batchRowsMax: 90, spawn: workers.spawn });
    const model = scorer.resolve(curved) as Model;
    const sizes: number[] = [];
    await fc.assert(
      fc.asyncProperty(mixes, async ({ counts, seed }) => {
        const { next: draw } = randomStream(seed);
        const requests = counts.map((count) => drawRequest(model, count, draw));
        const alone = await scoreAlone(scorer, requests);
        workers.runs.length = 0;
        const together = await scoreTogether(scorer, requests);
        sizes.push(...workers.runs);
        expect(workers.runs.reduce((sum, size) => sum + size, 0)).toBe(requests.length);
        expect(furthest(together, alone)).toBeLessThanOrEqual(1e-6);
      }),
      { numRuns: 60 },
    );
    // The property says nothing if nothing was batched.
    expect(sizes.filter((size) => size > 1).length).toBeGreaterThan(50);
  },
);

test("two models' requests, mixed, get their own models' answers", async () => {
  const scorer = await openTinyScorer({ models: [curved, { name: "linear" }] });
  const model = scorer.resolve(curved) as Model;
  await fc.assert(
    fc.asyncProperty(mixes, async ({ counts, seed }) => {
      const { next: draw } = randomStream(seed);
      const requests = counts.map((count) => drawRequest(model, count, draw));
      const alone = await scoreAlone(scorer, requests);
      const mixed = await Promise.all(
        requests.flatMap((request, index) => [
          scorer.score(curved, request, never),
          scorer.score({ name: "linear", version: "1" }, linearRequest(0, 0, [[index / 20, 0]]), never),
        ]),
      );
      const ofCurved = mixed.filter((_, index) => index % 2 === 0).map((scores) => scores.probabilities);
      const ofLinear = mixed.filter((_, index) => index % 2 === 1).map((scores) => scores.probabilities[0]);
      expect(furthest(ofCurved, alone)).toBeLessThanOrEqual(1e-6);
      expect(ofLinear).toEqual(counts.map((_, index) => Math.fround(Math.fround(index / 20) * 0.5)));
    }),
    { numRuns: 15 },
  );
});

describe("joining requests", () => {
  const inputs = [
    { name: "user", dtype: "float32", entity: "user", columns: 1 },
    { name: "row", dtype: "int32", entity: "row", columns: undefined },
    { name: "item", dtype: "int32", entity: "item", columns: 2 },
  ] as const;
  const request = (user: number, items: number[]): EncodedRequest =>
    encodedRequest(items.length / 2, [Float32Array.of(user), undefined, Int32Array.from(items)], [2]);

  test("puts their rows one after the other, and says whose each candidate is", () => {
    const batch = joinRequests(inputs, [request(7, [1, 2, 3, 4]), request(8, []), request(9, [5, 6])]);
    expect(batch).toMatchObject({ requests: 3, candidates: 3 });
    expect(tensorsOf(inputs, batch)).toEqual([
      Float32Array.of(7, 8, 9),
      Int32Array.of(0, 0, 2),
      Int32Array.of(1, 2, 3, 4, 5, 6),
    ]);
  });

  test("and splitting the answer gives each its own part", () => {
    const requests = [request(7, [1, 2, 3, 4]), request(8, []), request(9, [5, 6])];
    const parts = splitProbabilities(Float32Array.of(0.1, 0.2, 0.3), 1, requests);
    expect(parts).toEqual([Float32Array.of(0.1, 0.2), new Float32Array(0), Float32Array.of(0.3)]);
  });
});
