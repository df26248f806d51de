import { readFileSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ingestToFolder } from "../../src/app/data/ingest-topics.ts";
import type { LogPlace, LogTail, PlacedRecord } from "../../src/domain/log-reading.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { Landed } from "../../src/shipping/landed.ts";
import { decodeMessage, MessageEncoder } from "../../src/shipping/message.ts";
import { Pace } from "../../src/shipping/pace.ts";
import { shippedThrough } from "../../src/shipping/position-file.ts";
import { Shipper } from "../../src/shipping/shipper.ts";
import { PositionFile, topicsOf } from "../../src/shipping/shipping.ts";
import {
  counterfactualOf,
  fullImpressionOf,
  impressionOf,
  interleavingOf,
  outcomeOf,
  shadowOf,
} from "../support/log-records.ts";
import { clusterOf } from "../support/shipping.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const log = "0f8fad5b-d9cb-469f-a165-70867728950e";
const place: LogPlace = { segment: 12, salt: 4_294_967_295, offset: 1_048_608 };

function encoded(record: LogRecord) {
  const { message } = new MessageEncoder(topicsOf("fleet"), log, () => Date.UTC(2_030, 1)).encode({
    record,
    place,
    bytes: 100,
  } satisfies PlacedRecord);
  return { ...message, headers: [...(message.headers as Map<Buffer, Buffer>)] };
}

describe("a record as a message", () => {
  const sent = {
    ...fullImpressionOf("r1", "ü1"),
    sent: { user: { taste: [0.1, -3] }, items: [undefined, { genre: "pop" }, undefined] },
  };
  test.each<[string, string, LogRecord]>([
    ["an impression with all that can be logged", "fleet.impressions", sent],
    [
      "an interleaved one",
      "fleet.impressions",
      { ...impressionOf("r2", "u", "kd"), interleaving: interleavingOf("r2") },
    ],
    ["a tracked exposure", "fleet.impressions", impressionOf("r3", "u", "kd", [], { model: undefined })],
    ["an outcome", "fleet.outcomes", outcomeOf("o1", "r1", "t1", "click", 1e-7)],
    ["a shadow's comparison", "fleet.shadows", shadowOf("r1", { tau: undefined })],
    ["another arm's", "fleet.counterfactuals", counterfactualOf("r1")],
  ])("%s comes back as it was, by its request's key", (_, topic, record) => {
    const message = encoded(record);
    expect(message.topic).toBe(topic);
    expect(String(message.key)).toBe(record.requestId);
    expect(decodeMessage(message.value as Buffer, message.headers)).toEqual({
      record,
      identity: { log, ...place },
    });
  });

  test.each([
    ["no JSON", (it: ReturnType<typeof encoded>) => ({ ...it, value: Buffer.from("{") })],
    ["no value", (it: ReturnType<typeof encoded>) => ({ ...it, value: null })],
    [
      "a field missing",
      (it: ReturnType<typeof encoded>) => ({ ...it, value: Buffer.from('{"kind":"outcome"}') }),
    ],
    [
      "a time that no row can hold",
      (it: ReturnType<typeof encoded>) => ({
        ...it,
        value: Buffer.from(JSON.stringify({ ...outcomeOf("o1", "r1", "t1"), occurredAt: 1e300 })),
      }),
    ],
    ["no headers", (it: ReturnType<typeof encoded>) => ({ ...it, headers: [] })],
  ])("a message with %s is no record, and says why", (_, spoil) => {
    const { value, headers } = spoil(encoded(outcomeOf("o1", "r1", "t1")));
    expect(decodeMessage(value as Buffer | null, headers)).toEqual({ fault: expect.stringMatching(/./) });
  });

  const impression = JSON.stringify(impressionOf("r1", "u1", "kd"));
  const outcome = JSON.stringify(outcomeOf("o1", "r1", "t1"));
  const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
  const items = Array.from({ length: 3_000 }, (_, i) => ({
    ...{ id: `t${i}`, position: i + 1, score: 1 },
    tasks: { [`task${i}`]: 1 },
  }));
  test.each([
    ["a kind that is no text", '{"kind":{"toString":0}}', /no record/],
    ["an instant that no table has", impression.replace(/"at":\d+/, '"at":9.3e15'), /^at: /],
    ["an instant before all", outcome.replace(/"occurredAt":\d+/, '"occurredAt":-1e300'), /^occurredAt: /],
    [
      "a time of receipt of no clock",
      outcome.replace(/"receivedAt":\d+/, '"receivedAt":1e300'),
      /^receivedAt: /,
    ],
    [
      "an attribute that has no text",
      impression.replace("{", '{"attributes":{"user":{"a":{"toString":0}}},'),
      /^attributes/,
    ],
    ["features deeper than any stack", impression.replace("{", `{"sent":{"user":{"a":${deep}}},`), /^sent/],
    ["a task of its own for each item", JSON.stringify({ ...JSON.parse(impression), items }), /3000 tasks/],
  ])("that would stop the landing of all others is left out: %s", (_, value, fault) => {
    const { headers } = encoded(outcomeOf("o1", "r1", "t1"));
    expect(decodeMessage(Buffer.from(value), headers)).toStrictEqual({ fault: expect.stringMatching(fault) });
  });

  test("a later Setlist's message stops whoever reads it", () => {
    const { value, headers } = encoded(outcomeOf("o1", "r1", "t1"));
    const later = headers.map(
      ([name, text]) => [name, String(name) === "schema" ? Buffer.from("2") : text] as const,
    );
    expect(() => decodeMessage(value as Buffer, later)).toThrow(/schema 2/);
  });
});

test("no more is sent in any time than the rate and one second's burst allow", () => {
  const pace = new Pace(1_000_000);
  let now = 50_000;
  let sent = 0;
  while (sent < 20_000_000) {
    now += pace.take(500_000, now);
    sent += 500_000;
    expect(sent).toBeLessThanOrEqual(((now - 50_000) / 1_000) * 1_000_000 + 1_500_000);
  }
  expect(now - 50_000).toBeLessThanOrEqual(20_000);
});

describe("how far a log is shipped", () => {
  test("is kept, with the segments that may be deleted, and means nothing to another log", async () => {
    const folder = join(await temporaryFolder(), "shipping");
    const position = await PositionFile.open(folder, log);
    expect(position.read()).toBeUndefined();
    expect(shippedThrough(folder, log)).toBe(0);
    await position.write(place);
    expect(position.read()).toStrictEqual(place);
    expect(shippedThrough(folder, log)).toBe(11);
    const other = await PositionFile.open(folder, "11111111-1111-1111-1111-111111111111");
    expect(other.read()).toBeUndefined();
    expect(shippedThrough(folder, "11111111-1111-1111-1111-111111111111")).toBe(0);
    expect(readFileSync(join(folder, "position.json"), "utf8")).toContain('"shippedThrough":11');
  });

  test("is never guessed from a file that is damaged", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "position.json"), '{"log":"x","seg');
    const position = await PositionFile.open(folder, log);
    expect(() => position.read()).toThrow(/position\.json.*shipped again/);
  });
});

test("a shipper that has read on keeps the place up to which Kafka has acknowledged, and no further", async () => {
  const at = (offset: number) => ({ segment: 1, salt: 7, offset });
  const recordAt = (offset: number) => ({
    record: outcomeOf(`o${offset}`, "r1", "t1"),
    place: at(offset),
    bytes: 100,
  });
  const waves = [[recordAt(100)], [], [recordAt(200)], []];
  let end = 100;
  const tail: LogTail = {
    get place() {
      return at(end);
    },
    async next() {
      const wave = waves.shift() ?? [];
      end += 100 * wave.length;
      return wave;
    },
    bytesBehind: async () => 0,
    close: async () => {},
  };
  const position = await PositionFile.open(await temporaryFolder(), log);
  let sent = 0;
  const shipper = new Shipper({
    tail,
    encoder: new MessageEncoder(topicsOf("fleet"), log, () => 0),
    sink: {
      async send() {
        sent += 1;
        if (sent > 1) throw new Error("no broker");
      },
      close: async () => {},
    },
    position,
    bytesPerSecondMax: 1_000_000,
    clock: { now: () => 0, monotonic: () => 0 },
    describe: String,
  });
  const running = shipper.run();
  await expect.poll(() => sent).toBeGreaterThan(1);
  shipper.stop();
  await running;
  expect(end).toBe(300);
  expect(position.read()).toEqual(at(200));
});

test("a position that calls segments shipped that are not is none: retention would delete them", async () => {
  const folder = await temporaryFolder();
  const position = { log, segment: 3, salt: 7, offset: 32 };
  await writeFile(join(folder, "position.json"), JSON.stringify({ ...position, shippedThrough: 3 }));
  expect(() => shippedThrough(folder, log)).toThrow(/shippedThrough: expected less than segment 3/);
  await writeFile(join(folder, "position.json"), JSON.stringify({ ...position, shippedThrough: 2 }));
  expect(shippedThrough(folder, log)).toBe(2);
});

describe("what is landed", () => {
  const topics = new Map([["t", "id-1"]]);
  const at = (segment: number, offset: number, salt = 7) => ({ log, segment, salt, offset });

  test("is known across batches and starts: what a shipper sends again is left out, what is new is not", () => {
    const landed = new Landed("w", new Map(), "cluster");
    const first = landed.begin(topics);
    expect([at(1, 32), at(1, 90), at(2, 32)].map((one) => first.isNew("t/0", one))).toEqual([
      true,
      true,
      true,
    ]);
    first.take("t/0", 3);
    landed.add(first.source());
    const marker = { segment: "0000000001", salt: 1, files: [], facts: {}, source: first.source() };
    for (const known of [landed, new Landed("w", new Map([["0000000001", marker]]), "cluster")]) {
      const next = known.begin(topics);
      expect([at(1, 90), at(2, 32), at(2, 60)].map((one) => next.isNew("t/0", one))).toEqual([
        false,
        false,
        true,
      ]);
      expect(next.isNew("t/1", at(1, 90)), "another partition").toBe(true);
      expect(next.isNew("t/0", { ...at(1, 32), log: "other" }), "another log").toBe(true);
      expect(next.duplicates).toBe(2);
      expect(known.offsetOf("t/0")).toBe(3);
      expect(known.nextName).toBe("0000000002");
    }
  });

  test("does not begin in a server's data directory, where nothing may be compacted yet", async () => {
    const out = await temporaryFolder();
    await mkdir(join(out, "log"));
    const cluster = clusterOf("127.0.0.1:1", "own");
    const signal = AbortSignal.abort();
    const silent = { onProgress: () => undefined, onWarning: () => undefined };
    const options = { cluster, out, batchBytesMax: 1, batchMsMax: 1, once: true, signal, ...silent };
    await expect(ingestToFolder(options)).rejects.toThrow("is a server's data directory, it holds a log");
    expect(await readdir(out)).toStrictEqual(["log"]);
  });

  test("says which folder cannot be made, and does not try for ever", async () => {
    const silent = { onProgress: () => undefined, onWarning: () => undefined };
    const options = { out: "/proc/fleet", batchBytesMax: 1, batchMsMax: 1, once: true, ...silent };
    const ingested = ingestToFolder({
      ...options,
      cluster: clusterOf("127.0.0.1:1", "own"),
      signal: AbortSignal.abort(),
    });
    await expect(ingested).rejects.toThrow("/proc/fleet: it cannot be made there");
  });

  test("stops where one log has two histories, and where the folder is another cluster's or a server's own", () => {
    const landed = new Landed("w", new Map(), "cluster");
    const batch = landed.begin(topics);
    batch.isNew("t/0", at(3, 32));
    expect(() => batch.isNew("t/0", at(3, 90, 8))).toThrow(/two histories.*segment 3/);
    batch.isNew("t/0", at(4, 32));
    expect(() => batch.isNew("t/0", at(3, 90, 8)), "behind the last").toThrow(/two histories.*segment 3/);
    landed.add(batch.source());
    expect(() => landed.begin(topics).isNew("t/0", at(3, 90, 8)), "in a later batch").toThrow(
      /two histories/,
    );
    const marker = { segment: "0000000001", salt: 1, files: [], facts: {}, source: batch.source() };
    const again = new Landed("w", new Map([["0000000001", marker]]), "cluster");
    again.checkTopics(topics);
    expect(() => again.checkTopics(new Map([["t", "id-2"]]))).toThrow(/topic t was deleted and made anew/);
    expect(() => new Landed("w", new Map([["0000000001", marker]]), "elsewhere")).toThrow(/cluster cluster/);
    const own = { ...marker, source: undefined };
    expect(() => new Landed("w", new Map([["0000000001", own]]), "cluster")).toThrow(/a server's own log/);
  });
});
