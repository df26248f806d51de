import { describe, expect, test } from "vitest";
import { incomingOrder, rankCandidates } from "../../src/ranking/ranking.ts";
import { modelWith } from "../support/ranking-model.ts";

const candidates = ["a", "b", "c"].map((id) => ({ id }));

function rank(
  valueModel: Parameters<typeof modelWith>[0]["valueModel"],
  probabilities: number[],
  limit?: number,
): [string, number][] {
  const model = modelWith({ tasks: ["completion", "skip"], valueModel });
  const items = rankCandidates({ candidates, probabilities: Float32Array.from(probabilities), model, limit });
  return items.map(({ id, score }) => [id, Number(score.toFixed(6))]);
}

describe("a weighted sum", () => {
  test("orders by the weighed tasks, a negative weight against", () => {
    const weights = { completion: 2, skip: -1 };
    expect(rank({ kind: "weighted-sum", weights }, [0.5, 0.75, 0.5, 0.25, 0.25, 0])).toEqual([
      ["b", 0.75],
      ["c", 0.5],
      ["a", 0.25],
    ]);
  });

  test("of no weights keeps the order of the request", () => {
    expect(rank({ kind: "weighted-sum", weights: {} }, [0.1, 0, 0.9, 0, 0.5, 0])).toEqual([
      ["a", 0],
      ["b", 0],
      ["c", 0],
    ]);
  });
});

describe("a weighted product", () => {
  test("multiplies powers, a negative weight against", () => {
    const weights = { completion: 2, skip: -1 };
    expect(rank({ kind: "weighted-product", weights }, [0.5, 0.5, 0.5, 0.25, 1, 1])).toEqual([
      ["b", 1],
      ["c", 1],
      ["a", 0.5],
    ]);
  });

  test("holds a probability of 0 at 1e-9, so that the other tasks still count", () => {
    const weights = { completion: 1, skip: 1 };
    const order = rank({ kind: "weighted-product", weights }, [0, 0.1, 0, 0.9, 0, 0.5]).map(([id]) => id);
    expect(order).toEqual(["b", "c", "a"]);
  });

  test("stays a number where its factors leave the range of doubles", () => {
    const weights = { completion: -100, skip: 100 };
    const items = rank({ kind: "weighted-product", weights }, [0, 0, 0, 1, 1, 0]);
    expect(items.map(([id]) => id)).toEqual(["b", "a", "c"]);
    expect(items.map(([, score]) => score)).toEqual([Number.MAX_VALUE, 1, 0]);
  });
});

test("a broken probability sinks its candidate instead of leading, and reads 0", () => {
  const model = modelWith({
    tasks: ["completion", "skip"],
    valueModel: { kind: "weighted-sum", weights: { completion: 1, skip: -1 } },
  });
  const probabilities = Float32Array.from([Number.NaN, Number.NaN, 0.5, 0.5, Number.POSITIVE_INFINITY, 0]);
  const items = rankCandidates({ candidates, probabilities, model, limit: undefined });
  expect(items.map(({ id, score }) => [id, score])).toEqual([
    ["b", 0],
    ["c", 0],
    ["a", -1],
  ]);
  expect(items[2]?.tasks).toEqual({ completion: 0, skip: 0 });
});

test("an item carries its tasks and its position from 1", () => {
  const model = modelWith({
    tasks: ["completion", "skip"],
    valueModel: { kind: "weighted-sum", weights: { completion: 1 } },
  });
  const probabilities = Float32Array.from([0.25, 0, 0.75, 0.5, 0, 1]);
  expect(rankCandidates({ candidates, probabilities, model, limit: 2 })).toEqual([
    { id: "b", position: 1, score: 0.75, tasks: { completion: 0.75, skip: 0.5 } },
    { id: "a", position: 2, score: 0.25, tasks: { completion: 0.25, skip: 0 } },
  ]);
});

test("a task called like an inherited property weighs nothing", () => {
  const model = modelWith({ tasks: ["constructor"], valueModel: { kind: "weighted-sum", weights: {} } });
  const items = rankCandidates({ candidates, probabilities: new Float32Array(3), model, limit: undefined });
  expect(items.map(({ score }) => score)).toEqual([0, 0, 0]);
});

test("probabilities that are not [candidates, tasks] are a defect, not an order", () => {
  const model = modelWith({ tasks: ["completion"], valueModel: { kind: "weighted-sum", weights: {} } });
  const input = { candidates, probabilities: new Float32Array(2), model, limit: undefined };
  expect(() => rankCandidates(input)).toThrow("gave 2 probabilities for 3 candidates of 1 tasks");
});

test("without candidates there is nothing to order", () => {
  const model = modelWith({ tasks: ["completion"], valueModel: { kind: "weighted-sum", weights: {} } });
  expect(rankCandidates({ candidates: [], probabilities: new Float32Array(), model, limit: 3 })).toEqual([]);
  expect(incomingOrder([], undefined)).toEqual([]);
});
