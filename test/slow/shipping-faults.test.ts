import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { logIdentity } from "../../src/outcomes/outcomes.ts";
import { shippedThrough } from "../../src/shipping/position-file.ts";
import { describeWithKafka } from "../support/describe-with.ts";
import { until } from "../support/eventually.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { openTestLog, segmentsIn } from "../support/outcomes-log.ts";
import { columnOf } from "../support/parquet.ts";
import { type ProcessGroup, startGroup } from "../support/process-group.ts";
import { clusterOf, ingestAll, markedFiles, shipLog, shippersOf } from "../support/shipping.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const candidates = Array.from({ length: 10 }, (_, i) => ({ id: `t${i}` }));

/** Clients that rank and say what came of it until told to stop; the book holds what the server has acknowledged. */
function load(group: ProcessGroup, clients: number) {
  const book = { requests: [] as string[], outcomes: [] as string[] };
  let over = false;
  const client = async (number: number): Promise<void> => {
    for (let i = 0; !over; i++) {
      const requestId = `r${number}-${i}`;
      const ranked = await group.call("POST", "/v1/rank", {
        ...{ requestId, surface: "home", user: { id: `u${i}` }, candidates, timeoutMs: 10_000 },
      });
      expect(ranked.status).toBe(200);
      book.requests.push(requestId);
      const outcomes = [0, 1, 2].map((n) => ({
        ...{ outcomeId: `o${number}-${i}-${n}`, requestId, itemId: `t${n}`, type: "click" },
      }));
      expect((await group.call("POST", "/v1/outcomes", { outcomes })).status).toBe(200);
      book.outcomes.push(...outcomes.map(({ outcomeId }) => outcomeId));
    }
  };
  const running = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return {
    book,
    async stop() {
      over = true;
      await running;
    },
  };
}

async function metric(group: ProcessGroup, name: string): Promise<number> {
  const { text } = await group.call("GET", "/metrics");
  return Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1]);
}

async function expectOnce(out: string, book: { requests: string[]; outcomes: string[] }): Promise<void> {
  expect((await columnOf("request", markedFiles(out, "impressions"))).sort()).toStrictEqual(
    [...book.requests].sort(),
  );
  expect((await columnOf("outcome", markedFiles(out, "outcomes"))).sort()).toStrictEqual(
    [...book.outcomes].sort(),
  );
}

describeWithKafka("what is shipped", (broker) => {
  test("a broker killed and restarted under load costs no request and no record: each is there once", async () => {
    const dataDir = await temporaryFolder();
    const out = await temporaryFolder();
    const group = await startGroup(dataDir, {
      env: {
        SETLIST_SHIPPING_BROKERS: broker().address,
        SETLIST_SHIPPING_TOPIC_PREFIX: "outage",
        SETLIST_LOG_SEGMENT_BYTES_MAX: "100000",
      },
    });
    const clients = load(group, 3);
    for (let outage = 1; outage <= 2; outage++) {
      const before = await metric(group, "setlist_shipping_records_total");
      await until(async () => (await metric(group, "setlist_shipping_records_total")) > before);
      await broker().kill();
      const failures = await metric(group, "setlist_shipping_failures_total");
      await until(async () => (await metric(group, "setlist_shipping_failures_total")) > failures);
      const answered = clients.book.requests.length;
      await until(() => clients.book.requests.length > answered + 20);
      expect(await metric(group, "setlist_shipping_lag_bytes")).toBeGreaterThan(0);
      expect(await metric(group, "setlist_shipping_lag_seconds")).toBeGreaterThan(0);
      await broker().start();
    }
    const before = await metric(group, "setlist_shipping_records_total");
    await until(async () => (await metric(group, "setlist_shipping_records_total")) > before);
    await clients.stop();
    await until(async () => (await metric(group, "setlist_shipping_lag_bytes")) === 0);
    expect(await metric(group, "setlist_shipping_lag_records")).toBe(0);
    group.signal("SIGTERM");
    expect(await group.ended).toBe(0);
    expect(group.lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining([
        "shipping: the log is not sent to Kafka: it is kept, and sent later",
        "shipping: the log is sent to Kafka again",
      ]),
    );
    expect(await ingestAll(clusterOf(broker().address, "outage"), out)).toMatchObject({
      refused: 0,
      lost: 0,
      behind: 0,
    });
    await expectOnce(out, clients.book);
  });

  test("a shipper killed at random moments sends again what it had not kept, and each record lands once", async () => {
    const dataDir = await temporaryFolder();
    const out = await temporaryFolder();
    const directory = join(dataDir, "log");
    const cluster = clusterOf(broker().address, "kills");
    const log = await openTestLog(directory, { segmentBytesMax: 200_000, syncIntervalMs: 20 });
    const book = { requests: [] as string[], outcomes: [] as string[] };
    const append = async (i: number): Promise<void> => {
      const requestId = `r${i}`;
      await log.appendImpression(impressionOf(requestId, `u${i}`, "kd"));
      await log.appendOutcomes([outcomeOf(`o${i}`, requestId, "t1")]);
      book.requests.push(requestId);
      book.outcomes.push(`o${i}`);
    };
    let over = false;
    const appending = (async () => {
      for (let i = 0; !over; i += 20) {
        await Promise.all(Array.from({ length: 20 }, (_, j) => append(i + j)));
        await sleep(5);
      }
    })();
    const shipped = shipLog(dataDir, log, cluster);
    let killed = 0;
    while (killed < 5) {
      await until(() => shippersOf(process.pid).length > 0 && (shipped.status()?.records ?? 0) > 0);
      await sleep(Math.random() * 600);
      for (const pid of shippersOf(process.pid)) {
        process.kill(pid, "SIGKILL");
        killed += 1;
      }
      const through = shippedThrough(join(dataDir, "shipping"), await logIdentity(directory));
      expect(through, "only whole segments are said to be shipped").toBeLessThan(
        Number((await segmentsIn(directory)).at(-1)?.slice(0, 10)),
      );
      await until(() => (shipped.status()?.records ?? 0) === 0);
      // What is landed meanwhile is not landed again.
      if (killed === 3) await ingestAll(cluster, out, 100_000);
    }
    over = true;
    await appending;
    await log.close();
    await until(() => shipped.status()?.lagBytes === 0);
    await shipped.close();
    await ingestAll(cluster, out, 100_000);
    await expectOnce(out, book);
    expect(shippedThrough(join(dataDir, "shipping"), await logIdentity(directory))).toBe(
      Number((await segmentsIn(directory)).at(-1)?.slice(0, 10)),
    );
    // Without its position everything is sent once more, and none of it lands.
    await rm(join(dataDir, "shipping", "position.json"));
    const again = shipLog(dataDir, log, cluster);
    const records = book.requests.length + book.outcomes.length;
    await again.caughtUp(records);
    await again.close();
    const { impressions, outcomes, duplicates } = await ingestAll(cluster, out);
    expect([impressions, outcomes]).toStrictEqual([0, 0]);
    expect(duplicates).toBeGreaterThanOrEqual(records);
    await expectOnce(out, book);
  });

  test("a server that is killed with everything it started goes on where it was", async () => {
    const dataDir = await temporaryFolder();
    const out = await temporaryFolder();
    const env = { SETLIST_SHIPPING_BROKERS: broker().address, SETLIST_SHIPPING_TOPIC_PREFIX: "server" };
    const requests: string[] = [];
    for (let round = 0; round < 3; round++) {
      const group = await startGroup(dataDir, { env });
      for (let i = 0; i < 30; i++) {
        const requestId = `r${round}-${i}`;
        const body = { requestId, surface: "home", user: { id: `u${i}` }, candidates };
        expect((await group.call("POST", "/v1/rank", body)).status).toBe(200);
        requests.push(requestId);
      }
      const shippers = shippersOf(group.pid);
      expect(shippers).toHaveLength(1);
      group.signal(round < 2 ? "SIGKILL" : "SIGTERM");
      await group.ended;
    }
    expect(await ingestAll(clusterOf(broker().address, "server"), out)).toMatchObject({
      impressions: 90,
      behind: 0,
    });
    await expectOnce(out, { requests, outcomes: [] });
  });
});
