/** What comes out of Kafka, and the files in which shipping and the warehouse keep how far they are. */
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readMarkers } from "../../../src/columnar/columnar.ts";
import { SetlistError } from "../../../src/domain/error.ts";
import type { LogRecord } from "../../../src/domain/outcome-log.ts";
import { Landed } from "../../../src/shipping/landed.ts";
import { decodeMessage } from "../../../src/shipping/message.ts";
import { shippedThrough } from "../../../src/shipping/position-file.ts";
import { recordJson } from "../../../src/shipping/record-json.ts";
import { markerCounts, type SegmentFacts, withLogFiles } from "../../../src/warehouse/warehouse.ts";
import type { Mutator } from "../mutator.ts";
import { segmentsOf } from "../segments.ts";
import type { OpenTarget, Target } from "../target.ts";
import { sampleRecords } from "./log.ts";

const log = "0b0e1a52-6f3b-4f6e-9a51-1b2c3d4e5f60";

/** Headers as JSON on the first line, the value behind it. */
const messages = sampleRecords.map((record) =>
  Buffer.from(`${JSON.stringify({ schema: "1", log, place: "1/2/3" })}\n${recordJson(record)}`),
);

function damagedMessage(mutator: Mutator, seed: Buffer): Buffer {
  const text = seed.toString();
  const end = text.indexOf("\n");
  const head = mutator.below(8) === 0 ? mutator.json(text.slice(0, end)) : text.slice(0, end);
  return Buffer.from(`${head}\n${mutator.json(text.slice(end + 1))}`);
}

/** So many accepted records become Parquet together: one that cannot would be ingested again and again. */
const landedTogether = 200;

async function openMessages(): Promise<OpenTarget> {
  const folder = await mkdtemp(join(tmpdir(), "setlist-fuzz-"));
  let waiting: LogRecord[] = [];
  const land = (records: readonly LogRecord[]) =>
    withLogFiles(
      { segments: segmentsOf(records), warehouse: join(folder, "warehouse"), threads: 1 },
      async () => undefined,
    );
  async function landWaiting(): Promise<void> {
    const records = waiting;
    waiting = [];
    try {
      await land(records);
    } catch {
      for (const record of records)
        await land([record]).catch((error: unknown) => {
          throw new Error(`accepted, and cannot be landed: ${recordJson(record)}`, { cause: error });
        });
    }
  }
  return {
    async take(input) {
      const end = input.indexOf(0x0a);
      const decoded = refused(() =>
        decodeMessage(input.subarray(end + 1), headersOf(input.toString("utf8", 0, end))),
      );
      if (decoded === undefined || "fault" in decoded) return false;
      waiting.push(decoded.record);
      if (waiting.length === landedTogether) await landWaiting();
      return true;
    },
    async close() {
      await landWaiting();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function headersOf(text: string): [Buffer, Buffer][] {
  try {
    const written = Object.entries(JSON.parse(text) ?? {});
    return written.map(([name, value]) => [
      Buffer.from(name),
      Buffer.from(String(JSON.stringify(value)).replaceAll('"', "")),
    ]);
  } catch {
    return [];
  }
}

/** A file of ours that somebody else has written is told with its path and what to do. */
function refused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof SetlistError && !error.message.includes("\n")) return undefined;
    throw error;
  }
}

const source = {
  cluster: "c",
  topics: { "setlist.outcomes": "id" },
  offsets: { "setlist.outcomes/0": 5 },
  logs: { "setlist.outcomes/0": { [log]: [1, 2, 3] } },
  salts: { [log]: { "1": 2 } },
  duplicates: 0,
  refused: 0,
};
const facts = Object.fromEntries(markerCounts.map((count) => [count, 1]));
const marker = { segment: "0000000001", salt: 7, files: [], facts, source };

async function openMarkers(): Promise<OpenTarget> {
  const root = await mkdtemp(join(tmpdir(), "setlist-fuzz-"));
  mkdirSync(join(root, "done"));
  return {
    async take(input) {
      writeFileSync(join(root, "done", "0000000001.json"), input);
      try {
        new Landed(root, await readMarkers<SegmentFacts>(root, markerCounts), "c")
          .begin(new Map())
          .isNew("setlist.outcomes/0", {
            log,
            segment: 2,
            salt: 3,
            offset: 1,
          });
        return true;
      } catch (error) {
        if (error instanceof SetlistError && !error.message.includes("\n")) return false;
        throw error;
      }
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}

async function openPositions(): Promise<OpenTarget> {
  const root = await mkdtemp(join(tmpdir(), "setlist-fuzz-"));
  return {
    take(input) {
      writeFileSync(join(root, "position.json"), input);
      return refused(() => shippedThrough(root, log)) !== undefined;
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}

const asJson = (mutator: Mutator, seed: Buffer): Buffer => Buffer.from(mutator.json(seed.toString()));

export const shippingTargets: readonly Target[] = [
  {
    name: "kafka-message",
    share: 6,
    corpus: messages,
    tokens: [
      "impression",
      "outcome",
      "shadow",
      "counterfactual",
      "items",
      "tasks",
      "served",
      "sent",
      "1/2/3",
      "2",
    ],
    mutate: damagedMessage,
    open: openMessages,
  },
  {
    name: "marker",
    share: 1,
    corpus: [
      marker,
      { ...marker, source: undefined },
      { ...marker, files: ["outcomes/date=2026-01-01/0000000001.parquet"], removed: [] },
    ].map((one) => Buffer.from(JSON.stringify(one))),
    tokens: ["../../etc/passwd", "0000000001", "date=2026-01-01/0000000001.parquet", log, "files", "source"],
    mutate: asJson,
    open: openMarkers,
  },
  {
    name: "position",
    share: 1,
    corpus: [Buffer.from(JSON.stringify({ log, segment: 3, salt: 1, offset: 99, shippedThrough: 2 }))],
    tokens: ["segment", "offset", log],
    mutate: asJson,
    open: openPositions,
  },
];
