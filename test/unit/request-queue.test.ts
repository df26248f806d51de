import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { QueuedRequest } from "../../src/inference/queued-request.ts";
import { RequestQueue } from "../../src/inference/request-queue.ts";
import { emptyRequest } from "../support/encoded-request.ts";
import { eventually } from "../support/eventually.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Of each model. */
const groups = [{}, {}, {}];

function request(model: number, candidateCount: number, arrivedAt: number): QueuedRequest {
  const group = groups[model] as object;
  return new QueuedRequest(
    model,
    group,
    { ...emptyRequest, candidateCount },
    arrivedAt,
    Number.POSITIVE_INFINITY,
  );
}

function queueOf(...requests: QueuedRequest[]): RequestQueue {
  const queue = new RequestQueue();
  for (const one of requests) queue.add(one);
  return queue;
}

describe("the next run", () => {
  test("is everything that waits for the model of the longest-waiting request, in the order of arrival", () => {
    const [a, b, c, d] = [request(1, 5, 1), request(0, 5, 2), request(1, 5, 3), request(0, 5, 4)];
    const queue = queueOf(a, b, c, d);
    expect(queue.takeBatch(100)).toEqual([a, c]);
    expect(queue.size).toBe(2);
    expect(queue.takeBatch(100)).toEqual([b, d]);
    expect(queue.takeBatch(100)).toEqual([]);
    expect(queue.size).toBe(0);
  });

  test("ends before the request that would make it too large, and does not let a later one overtake", () => {
    const [a, b, c] = [request(0, 60, 1), request(0, 50, 2), request(0, 10, 3)];
    const queue = queueOf(a, b, c);
    expect(queue.takeBatch(100)).toEqual([a]);
    expect(queue.takeBatch(100)).toEqual([b, c]);
  });

  test("may be exactly as large as allowed", () => {
    const [a, b] = [request(0, 60, 1), request(0, 40, 2)];
    expect(queueOf(a, b).takeBatch(100)).toEqual([a, b]);
  });

  test("is one request alone where that is larger than allowed", () => {
    const [a, b] = [request(0, 101, 1), request(0, 1, 2)];
    const queue = queueOf(a, b);
    expect(queue.takeBatch(100)).toEqual([a]);
    expect(queue.takeBatch(100)).toEqual([b]);
  });

  test("is one request alone where its batch failed before", () => {
    const [a, b, c] = [request(0, 1, 1), request(0, 1, 2), request(0, 1, 3)];
    b.alone = true;
    const queue = queueOf(a, b, c);
    expect(queue.takeBatch(100)).toEqual([a]);
    expect(queue.takeBatch(100)).toEqual([b]);
    expect(queue.takeBatch(100)).toEqual([c]);
  });
});

describe("the newest first", () => {
  test("takes a group's latest, as many as fit, and leaves the oldest", () => {
    const [a, b, c] = [request(0, 60, 1), request(0, 50, 2), request(0, 50, 3)];
    const queue = queueOf(a, b, c);
    expect(queue.takeBatch(100, true)).toEqual([c, b]);
    expect(queue.takeBatch(100, true)).toEqual([a]);
  });

  test("lets the groups take turns, whoever came first and however many more come", () => {
    const oldest = request(0, 100, 0);
    const queue = queueOf(oldest, request(1, 100, 1));
    const served: number[] = [];
    for (let run = 0; run < 6; run++) {
      // One model alone would keep the workers busy.
      queue.add(request(0, 100, 2 + run));
      queue.add(request(1, 100, 2 + run));
      expect(queue.hasFullBatch(100, true)).toBe(true);
      served.push(...queue.takeBatch(100, true).map(({ model }) => model));
    }
    expect(served).toEqual([0, 1, 0, 1, 0, 1]);
    expect(queue.takeAll()).toContain(oldest);
  });

  test("leaves some waiting for ever, who can be taken by their arrival", () => {
    const [a, b, c, d] = [request(0, 1, 1), request(1, 1, 2), request(0, 1, 3), request(1, 1, 4)];
    const queue = queueOf(a, b, c, d);
    expect(queue.takeOlder(1)).toEqual([]);
    expect(queue.takeOlder(4)).toEqual([a, c, b]);
    expect(queue.size).toBe(1);
    expect(queue.takeAll()).toEqual([d]);
  });

  test("asks the group whose turn it is whether its run would be full", () => {
    const queue = queueOf(request(0, 100, 1), request(1, 5, 2), request(0, 100, 3));
    queue.takeBatch(100, true);
    expect(queue.hasFullBatch(100)).toBe(true);
    expect(queue.hasFullBatch(100, true)).toBe(false);
  });
});

test("a group that nobody waits for any more is not kept", async () => {
  const queue = new RequestQueue();
  // In a function of its own, whose variables are gone with it.
  function comeAndGo(leave: (one: QueuedRequest) => unknown): WeakRef<object> {
    const group = {};
    const one = new QueuedRequest(0, group, { ...emptyRequest, candidateCount: 1 }, 0, 1);
    queue.add(one);
    leave(one);
    return new WeakRef(group);
  }
  const gone = [comeAndGo(() => queue.takeBatch(1)), comeAndGo((one) => queue.remove(one))];
  await eventually(() => {
    collectGarbage();
    expect(gone.map((group) => group.deref() === undefined)).toEqual([true, true]);
  });
  expect(queue.size).toBe(0);
});

test("a request that was removed holds no place, and removing it again changes nothing", () => {
  const [a, b] = [request(0, 1, 1), request(0, 1, 2)];
  const queue = queueOf(a, b);
  queue.remove(a);
  queue.remove(a);
  expect(queue.size).toBe(1);
  expect(queue.takeBatch(100)).toEqual([b]);
});

test("everything can be taken at once", () => {
  const [a, b] = [request(0, 1, 1), request(1, 1, 2)];
  const queue = queueOf(a, b);
  expect(queue.takeAll()).toEqual([a, b]);
  expect(queue.size).toBe(0);
  expect(queue.takeBatch(100)).toEqual([]);
});
