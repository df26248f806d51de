import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { scheduleArrivals } from "../../loadtest/arrivals.ts";
import { postRequest } from "../../loadtest/http-connection.ts";
import { httpTarget } from "../../loadtest/http-target.ts";
import { runOpenLoop } from "../../loadtest/open-loop.ts";
import { type Answer, noAnswer } from "../../loadtest/target.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { type FakeFrontdoor, openFakeFrontdoor } from "../support/fake-frontdoor.ts";

const good: Answer = { ok: true, code: "200", degraded: false, body: Buffer.alloc(0) };
const fixed = (rate: number, seconds: number) =>
  scheduleArrivals("fixed", rate, seconds, randomStream("unused"));

let door: FakeFrontdoor | undefined;
afterEach(async () => {
  await door?.close();
  door = undefined;
});

describe("the open-loop generator", () => {
  it("keeps sending on schedule while a server stalls, and shows the stall in the percentiles", async () => {
    // Everything that arrives in the first 500 ms is answered only then: half of all requests.
    let openedAt = Number.POSITIVE_INFINITY;
    door = await openFakeFrontdoor(async () => {
      openedAt = Math.min(openedAt, performance.now());
      await sleep(Math.max(0, openedAt + 500 - performance.now()));
      return { status: 200, body: { degraded: [] } };
    });
    const target = httpTarget(door.url, 64);
    const request = postRequest("fake", "/v1/rank", {});
    const result = await runOpenLoop(fixed(100, 1), () => target.send(request));
    target.close();

    expect(result.answered).toBe(100);
    const during = door.received.filter(({ at }) => at < openedAt + 450).length;
    expect(during).toBeGreaterThan(10);
    // The first waited 500 ms, the last of the stalled none: the worst tenth waited 400 ms and more.
    expect(result.latencies.at(90)).toBeGreaterThan(300);
    expect(result.latencies.maxMs).toBeGreaterThan(450);
    expect(result.latencies.at(90) - result.latencies.at(25)).toBeGreaterThan(100);
  });

  it("counts waiting for a free connection as latency", async () => {
    door = await openFakeFrontdoor(async () => {
      await sleep(50);
      return { status: 200, body: {} };
    });
    const target = httpTarget(door.url, 1);
    const request = postRequest("fake", "/v1/rank", {});
    const result = await runOpenLoop(fixed(100, 0.1), () => target.send(request));
    target.close();
    // Ten requests within 100 ms through one connection of 50 ms each: the last is answered after 500 ms.
    expect(result.answered).toBe(10);
    expect(result.latencies.maxMs).toBeGreaterThan(350);
  });

  it("gives up, unsent, whom no connection was free for in time", async () => {
    door = await openFakeFrontdoor(async () => {
      await sleep(100);
      return { status: 200, body: {} };
    });
    const target = httpTarget(door.url, 1, 20);
    const request = postRequest("fake", "/v1/rank", {});
    const answers = await Promise.all(Array.from({ length: 3 }, () => target.send(request)));
    expect(answers.map(({ code }) => code)).toEqual(["200", "no connection", "no connection"]);
    expect((await target.send(request)).ok).toBe(true);
    target.close();
    expect(door.received).toHaveLength(2);
  });

  it("measures from the scheduled arrival also where the generator itself was late", async () => {
    const result = await runOpenLoop(fixed(20, 0.5), async (index) => {
      const until = performance.now() + 200;
      // A generator that computes instead of sending: the second request leaves 150 ms late.
      while (index === 0 && performance.now() < until);
      return good;
    });
    expect(result.lag.maxMs).toBeGreaterThan(120);
    expect(result.latencies.maxMs).toBeGreaterThan(120);
    expect(result.fromSending.at(50)).toBeLessThan(result.lag.maxMs);
  });

  it("counts failures by code, outside the latencies", async () => {
    const answers = [
      good,
      { ...good, ok: false, code: "503" },
      noAnswer("ECONNRESET"),
      { ...good, degraded: true },
    ];
    const result = await runOpenLoop(fixed(200, 0.1), async (index) => answers[index % 4] ?? good);
    expect(result).toMatchObject({
      scheduled: 20,
      answered: 10,
      degraded: 5,
      errors: { "503": 5, ECONNRESET: 5 },
    });
    expect(result.latencies.count).toBe(10);
  });

  it("does not wait for ever for answers that never come", async () => {
    const never = new Promise<Answer>(() => {});
    const result = await runOpenLoop(fixed(100, 0.05), () => never, 100);
    expect(result).toMatchObject({ scheduled: 5, answered: 0, errors: { "no answer": 5 } });
  });
});

describe("the HTTP target", () => {
  const request = postRequest("fake", "/v1/rank", { some: "body" });

  it("tells good, degraded and failed answers apart", async () => {
    const replies = [
      { status: 200, body: { degraded: [] } },
      { status: 200, body: { degraded: ["deadline"] } },
      { status: 503, body: { degraded: ["deadline"] } },
    ];
    door = await openFakeFrontdoor(() => replies.shift());
    const target = httpTarget(door.url, 1);
    const answers = [await target.send(request), await target.send(request), await target.send(request)];
    target.close();
    expect(answers.map(({ ok, code, degraded }) => [ok, code, degraded])).toEqual([
      [true, "200", false],
      [true, "200", true],
      [false, "503", false],
    ]);
    expect(door.received.map(({ body }) => body)).toEqual(Array(3).fill({ some: "body" }));
  });

  it("reads a large answer that comes in many pieces", async () => {
    const items = Array.from({ length: 20_000 }, (_, i) => ({ id: `t${i}` }));
    door = await openFakeFrontdoor(() => ({ status: 200, body: { items, degraded: [] } }));
    const target = httpTarget(door.url, 1);
    const { body } = await target.send(request);
    target.close();
    expect(JSON.parse(body.toString())).toEqual({ items, degraded: [] });
  });

  it("opens a new connection after the server broke one", async () => {
    const replies = [undefined, { status: 200, body: {} }];
    door = await openFakeFrontdoor(() => replies.shift());
    const target = httpTarget(door.url, 1);
    const broken = await target.send(request);
    const next = await target.send(request);
    target.close();
    expect(broken).toMatchObject({ ok: false, code: expect.stringMatching(/closed|ECONNRESET/) });
    expect(next.ok).toBe(true);
  });
});
