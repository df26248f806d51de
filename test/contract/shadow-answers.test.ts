import { expect, onTestFinished, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import type { Scorer } from "../../src/domain/scorer.ts";
import type { ServingDependencies } from "../../src/serving/serving.ts";
import { openDoors, testModel } from "../support/doors.ts";
import { eventually } from "../support/eventually.ts";

const surfaceWith = (share: number, rest: object = {}) => {
  const shadow = { model: { name: "home-kd" }, share, topK: 10 };
  const home = { defaultModel: { name: "home-control" }, timeoutMs: 5_000, shadow, ...rest };
  return new Map([["home", home]]);
};

/** Scores the candidates one like the other; a shadow the same. */
const scorerWith = (change: Partial<Scorer>): Scorer => ({
  resolve: ({ name }) => ({ ...testModel, name }),
  candidatesMax: () => Number.POSITIVE_INFINITY,
  models: () => [],
  execution: () => undefined,
  score: async (_model, { candidateCount }) => ({
    probabilities: new Float32Array(candidateCount * 2),
    queueMs: 0,
    inferenceMs: 0,
  }),
  scoreSpare: async (_model, { candidateCount }) => new Float32Array(candidateCount * 2),
  close: async () => {},
  ...change,
});

/** The doors over these ports; `rank` answers the status, `results` what became of the shadow's requests. */
async function houseWith(ports: Partial<ServingDependencies>) {
  const doors = await openDoors({ ports });
  onTestFinished(() => doors.close());
  const request = { surface: "home", user: { id: "u1" }, candidateIds: ["t1", "t2", "t3"] };
  const results = async (): Promise<Record<string, number>> => {
    const lines = (await doors.get("/metrics")).text.matchAll(
      /^setlist_shadow_total\{.*result="(\w+)"\} (\d+)$/gm,
    );
    return Object.fromEntries([...lines].map(([, result, count]) => [result, Number(count)]));
  };
  return { rank: async () => (await doors.post("/v1/rank", request)).status, results };
}

test.each<[string, Partial<ServingDependencies>]>([
  ["scored in part", { surfaces: surfaceWith(1), scorer: scorerWith({ candidatesMax: () => 2 }) }],
  [
    "not scored in time",
    {
      surfaces: surfaceWith(1),
      scorer: scorerWith({
        score: () => Promise.reject(new SetlistError("DEADLINE_EXCEEDED", "late")),
      }),
    },
  ],
  [
    "ordered without the labels that its value model goes by",
    {
      surfaces: surfaceWith(1, { valueModel: { diversity: [{ by: "artist", decay: 0.5 }] } }),
      scorer: scorerWith({}),
      itemLabels: { labels: () => Promise.reject(new Error("the store is gone")) },
    },
  ],
])("an answer that was %s is compared with nothing", async (_how, ports) => {
  const { rank, results } = await houseWith(ports);
  expect(await rank()).toBe(200);
  expect(await results()).toEqual({ skipped: 1 });
});

test("none of a share of 0 is scored, all of a share of 1", async () => {
  let scored = 0;
  const scorer = scorerWith({
    scoreSpare: async (_model, { candidateCount }) => {
      scored += 1;
      return new Float32Array(candidateCount * 2);
    },
  });
  const whole = await houseWith({ surfaces: surfaceWith(1), scorer });
  const none = await houseWith({ surfaces: surfaceWith(0), scorer });
  for (let index = 0; index < 5; index++) expect(await none.rank()).toBe(200);
  for (let index = 0; index < 5; index++) expect(await whole.rank()).toBe(200);
  await eventually(async () => expect(await whole.results()).toEqual({ compared: 5 }));
  expect(await none.results()).toEqual({});
  expect(scored).toBe(5);
});

test("a shadow that scores no more holds up no answer, and no more of its requests than may wait", async () => {
  const begun = Promise.withResolvers<void>();
  const scoreSpare = (): Promise<Float32Array> => {
    begun.resolve();
    return new Promise(() => {});
  };
  const { rank, results } = await houseWith({ surfaces: surfaceWith(1), scorer: scorerWith({ scoreSpare }) });
  expect(await rank()).toBe(200);
  await begun.promise;
  for (let index = 0; index < 39; index++) expect(await rank()).toBe(200);
  // One is being scored, 32 wait.
  expect(await results()).toEqual({ dropped: 7 });
});
