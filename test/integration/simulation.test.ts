import { afterEach, describe, expect, it } from "vitest";
import { simulate } from "../../src/simulation/simulation.ts";
import type { Truth } from "../../src/simulation/world.ts";
import {
  type FakeFrontdoor,
  openFakeFrontdoor,
  type Received,
  type Reply,
} from "../support/fake-frontdoor.ts";
import { constantTruth, smallWorld } from "../support/small-world.ts";

const world = smallWorld();
const often = constantTruth(0.5, 0.4, 0.3);
const base = { seed: 1, concurrency: 4, requests: 60, run: "run" };

interface SentOutcome {
  readonly outcomeId: string;
  readonly requestId: string;
  readonly itemId: string;
  readonly type: string;
}

let door: FakeFrontdoor | undefined;
afterEach(async () => {
  await door?.close();
  door = undefined;
});

/** Ranks by reversing; remembers outcomes as the real server does. */
function server(known = new Set<string>()): (request: Received) => Reply {
  return ({ path, body }) => {
    if (path === "/v1/rank") {
      const ids = (body["candidateIds"] as string[]).toReversed().slice(0, body["limit"] as number);
      return {
        status: 200,
        body: { requestId: body["requestId"], items: ids.map((id) => ({ id })), degraded: [] },
      };
    }
    const ids = (body["outcomes"] as SentOutcome[]).map(({ outcomeId }) => outcomeId);
    const fresh = ids.filter((id) => !known.has(id));
    for (const id of ids) known.add(id);
    return {
      status: 200,
      body: { accepted: fresh.length, duplicates: ids.length - fresh.length, rejected: [] },
    };
  };
}

function outcomesOf(received: readonly Received[]): SentOutcome[] {
  return received
    .filter(({ path }) => path === "/v1/outcomes")
    .flatMap(({ body }) => body["outcomes"] as SentOutcome[]);
}

describe("a simulation", () => {
  it("repeats itself with the same seed, whatever the concurrency", async () => {
    const sentWith = async (concurrency: number) => {
      const opened = await openFakeFrontdoor(server());
      await simulate(world, often, { ...base, url: opened.url, concurrency });
      await opened.close();
      return outcomesOf(opened.received)
        .map(({ outcomeId, requestId, itemId, type }) => [outcomeId, requestId, itemId, type].join(" "))
        .toSorted();
    };
    const alone = await sentWith(1);
    expect(alone.length).toBeGreaterThan(100);
    expect(await sentWith(7)).toEqual(alone);
  });

  it("sends every outcome once, under an id of its own, for an item that was shown", async () => {
    door = await openFakeFrontdoor(server());
    const summary = await simulate(world, often, { ...base, url: door.url });
    const sent = outcomesOf(door.received);
    expect(new Set(sent.map(({ outcomeId }) => outcomeId)).size).toBe(sent.length);
    expect(summary.sent).toMatchObject({ accepted: sent.length, duplicates: 0, rejected: 0, lost: 0 });
    expect(Object.values(summary.outcomes).reduce((a, b) => a + b, 0)).toBe(sent.length);
    const rankOf = new Map(
      door.received.map(({ body }) => [body["requestId"], body["candidateIds"] as string[]]),
    );
    expect(sent.every(({ requestId, itemId }) => rankOf.get(requestId)?.includes(itemId))).toBe(true);
    expect(summary).toMatchObject({ requests: 60, failedRequests: 0, shown: 600, errors: {} });
  });

  it("asks the truth about the items in the order and at the positions shown", async () => {
    door = await openFakeFrontdoor(server());
    const asked: Parameters<Truth>[0][] = [];
    const truth: Truth = (shown) => {
      asked.push(shown);
      return often(shown);
    };
    await simulate(world, truth, { ...base, url: door.url, requests: 1, concurrency: 1 });
    const candidates = door.received[0]?.body["candidateIds"] as string[];
    const shown = candidates.toReversed().slice(0, 10);
    expect(asked[0]?.tracks.map((row) => world.tracks[row]?.id)).toEqual(shown);
  });

  it("sends outcomes again under the same ids until they are acknowledged", async () => {
    const answer = server();
    const attempts: string[][] = [];
    door = await openFakeFrontdoor((request) => {
      if (request.path !== "/v1/outcomes") return answer(request);
      attempts.push((request.body["outcomes"] as SentOutcome[]).map(({ outcomeId }) => outcomeId));
      if (attempts.length === 1) return { status: 503 };
      // Taken, but the answer never arrives: the client cannot know.
      if (attempts.length === 2) {
        answer(request);
        return undefined;
      }
      return answer(request);
    });
    const summary = await simulate(world, often, { ...base, url: door.url, requests: 5 });
    expect(attempts[1]).toEqual(attempts[0]);
    expect(attempts[2]).toEqual(attempts[0]);
    expect(summary.outcomeRetries).toBe(2);
    expect(summary.sent).toMatchObject({ accepted: 0, lost: 0 });
    expect(summary.sent.duplicates).toBe(attempts[0]?.length);
  });

  it("backs off where the server is busy, then goes on", async () => {
    const answer = server();
    let refused = 0;
    door = await openFakeFrontdoor((request) =>
      request.path === "/v1/rank" && refused++ < 3 ? { status: 429 } : answer(request),
    );
    const summary = await simulate(world, often, { ...base, url: door.url, requests: 10 });
    expect(summary).toMatchObject({ requests: 10, failedRequests: 0, errors: { "HTTP 429": 3 } });
  });

  it("counts broken connections and never asks twice under one request id", async () => {
    const answer = server();
    let ranks = 0;
    door = await openFakeFrontdoor((request) =>
      request.path === "/v1/rank" && ranks++ % 5 === 0 ? undefined : answer(request),
    );
    const summary = await simulate(world, often, { ...base, url: door.url, requests: 20 });
    expect(summary.requests + summary.failedRequests).toBe(20);
    expect(summary.failedRequests).toBe(4);
    const ids = door.received.filter(({ path }) => path === "/v1/rank").map(({ body }) => body["requestId"]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("counts degraded answers by reason", async () => {
    const answer = server();
    door = await openFakeFrontdoor((request) => {
      const { status, body } = answer(request);
      return { status, body: { ...(body as object), degraded: ["defaults:12", "deadline"] } };
    });
    const summary = await simulate(world, often, { ...base, url: door.url, requests: 6 });
    expect(summary.degraded).toEqual({ defaults: 6, deadline: 6 });
  });

  it("ends after the seconds given", async () => {
    door = await openFakeFrontdoor(server());
    const { requests: _, ...endless } = base;
    const summary = await simulate(world, often, { ...endless, url: door.url, seconds: 0.4 });
    expect(summary.seconds).toBeGreaterThanOrEqual(0.4);
    expect(summary.seconds).toBeLessThan(5);
    expect(summary.requests).toBeGreaterThan(0);
  });

  it("ends early when told to, with everything reported that was seen", async () => {
    door = await openFakeFrontdoor(server());
    const stop = new AbortController();
    const summary = await simulate(world, often, {
      ...base,
      url: door.url,
      requests: 100_000,
      signal: stop.signal,
      onProgress: ({ requests }) => {
        if (requests >= 20) stop.abort();
      },
    });
    expect(summary.requests).toBeLessThan(100);
    expect(summary.sent.accepted).toBe(outcomesOf(door.received).length);
  });

  it("says in one sentence that no server is there", async () => {
    const gone = await openFakeFrontdoor(server());
    await gone.close();
    await expect(simulate(world, often, { ...base, url: gone.url })).rejects.toThrow(
      `no server answers at ${gone.url} (ECONNREFUSED); start one with \`npm start\`, or name another with --url`,
    );
  });

  it("says in one sentence that an address is none", async () => {
    await expect(simulate(world, often, { ...base, url: "localhost:8080" })).rejects.toThrow(
      /--url: expected an address/,
    );
  });
});
