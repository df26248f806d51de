/** The outcome log: records, segments as they are recovered, verified, read and salvaged, and what is sent between processes. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { SetlistError } from "../../../src/domain/error.ts";
import type { LogRecord } from "../../../src/domain/outcome-log.ts";
import { stampFrames } from "../../../src/outcomes/frame.ts";
import { salvageLog, serveLog, verifyLog } from "../../../src/outcomes/outcomes.ts";
import {
  readRecord,
  writeComparisonFrame,
  writeImpressionFrame,
  writeOutcomeFrame,
  writeSealFrame,
} from "../../../src/outcomes/record-codec.ts";
import { RecordWriter } from "../../../src/outcomes/record-writer.ts";
import { encodeSegmentHeader, segmentHeaderBytes } from "../../../src/outcomes/segment-header.ts";
import { streamMessage } from "../../../src/outcomes/stream-messages.ts";
import {
  counterfactualOf,
  fullImpressionOf,
  impressionOf,
  interleavingOf,
  outcomeOf,
  shadowOf,
} from "../../support/log-records.ts";
import { hastyDisk, openTestLog, recordsIn } from "../../support/outcomes-log.ts";
import type { Mutator } from "../mutator.ts";
import type { OpenTarget, Target } from "../target.ts";

export const sampleRecords: readonly LogRecord[] = [
  impressionOf("r1", "u1", "kd"),
  {
    ...fullImpressionOf("r2", "ü2"),
    sent: { context: { device: "ios" }, items: [undefined, { genre: ["a", "b"] }, { x: 1 }] },
  },
  { ...impressionOf("r3", "u1", "interleaved"), interleaving: interleavingOf("page-1") },
  impressionOf("r4", "u4", "control", [], { model: undefined }),
  outcomeOf("o1", "r1", "t1"),
  outcomeOf("o2", "\u{1f600}".repeat(20), ""),
  shadowOf("r1"),
  counterfactualOf("r2"),
];

const keepBytes = 1 << 20;

export function framesOf(records: readonly LogRecord[]): Buffer {
  const writer = new RecordWriter();
  for (const record of records) writeRecord(writer, record);
  return Buffer.from(writer.bytes());
}

function writeRecord(writer: RecordWriter, record: LogRecord): number {
  if (record.kind === "impression") return writeImpressionFrame(writer, record);
  return record.kind === "outcome" ? writeOutcomeFrame(writer, record) : writeComparisonFrame(writer, record);
}

const frameHeaderBytes = 16;
const payloads = sampleRecords.map((record) => framesOf([record]).subarray(frameHeaderBytes));
const asBytes = (mutator: Mutator, seed: Buffer): Buffer => mutator.bytes(seed);

/** Bytes under a right checksum that are no record are a RangeError; a record that was read is written and read the same. */
function openRecords(): OpenTarget {
  const writer = new RecordWriter();
  const written = (record: LogRecord): Buffer => {
    writer.reset(keepBytes);
    writeRecord(writer, record);
    return Buffer.from(writer.bytes().subarray(frameHeaderBytes));
  };
  return {
    take(input) {
      let record: LogRecord;
      try {
        record = readRecord(input, 0, input.length);
      } catch (error) {
        if (error instanceof RangeError) return false;
        throw error;
      }
      const once = written(record);
      const twice = written(readRecord(once, 0, once.length));
      if (!once.equals(twice)) throw new Error("a record that was read is another one once it was written");
      return true;
    },
    close: async () => undefined,
  };
}

const salt = 0x1234_5678;

function segmentOf(number: number, isSealed: boolean): Buffer {
  const writer = new RecordWriter();
  for (const record of sampleRecords) writeRecord(writer, record);
  if (isSealed) writeSealFrame(writer, { impressions: 4, outcomes: 2, shadows: 2 });
  const frames = Buffer.from(writer.bytes());
  stampFrames(frames, salt, segmentHeaderBytes, 0);
  return Buffer.concat([encodeSegmentHeader({ number, salt, madeAt: 0 }), frames]);
}

/** A letter says how the file is called, the rest is its bytes. */
const segments = [
  Buffer.concat([Buffer.from("o"), segmentOf(1, false)]),
  Buffer.concat([Buffer.from("s"), segmentOf(1, true)]),
  Buffer.concat([Buffer.from("s"), segmentOf(2, true)]),
  Buffer.concat([
    Buffer.from("o"),
    readFileSync(join(import.meta.dirname, "../../support/log-version-4/0000000001.seg")),
  ]),
];

/** Damage as a disk makes it, and as a hostile writer does, who works the checksums out. */
function damagedSegment(mutator: Mutator, seed: Buffer): Buffer {
  const how = mutator.below(4);
  if (how < 2) return mutator.bytes(seed);
  const kind = mutator.pick(["o", "s"]);
  const writer = new RecordWriter();
  for (let left = mutator.below(6); left > 0; left--) {
    const payload = mutator.below(2) === 0 ? mutator.bytes(mutator.pick(payloads)) : mutator.pick(payloads);
    if (payload.length > 0) copyFrame(writer, payload);
  }
  if (mutator.below(2) === 0)
    writeSealFrame(writer, {
      impressions: mutator.below(4),
      outcomes: mutator.below(3),
      shadows: mutator.below(2),
    });
  const frames = Buffer.from(writer.bytes());
  stampFrames(frames, salt, segmentHeaderBytes, mutator.pick([0, 4096, 2 ** 32 - 1]));
  const whole = Buffer.concat([
    encodeSegmentHeader({ number: 1, salt, madeAt: mutator.pick([0, Number.NaN, 1e300]) }),
    frames,
  ]);
  return Buffer.concat([Buffer.from(kind), how === 2 ? whole : mutator.bytes(whole)]);
}

function copyFrame(writer: RecordWriter, payload: Buffer): void {
  const start = writer.used;
  writer.skip(frameHeaderBytes);
  writer.copy(payload, 0, payload.length);
  writer.uint32At(start + 8, payload.length);
}

/** What is found in a log is what every reader finds; a start either refuses with the place or cuts a torn tail. */
async function openSegments(): Promise<OpenTarget> {
  const folder = await mkdtemp(join(tmpdir(), "setlist-fuzz-"));
  const log = join(folder, "log");
  const into = join(folder, "into");
  return {
    async take(input) {
      rmSync(log, { recursive: true, force: true });
      rmSync(into, { recursive: true, force: true });
      mkdirSync(log);
      mkdirSync(into);
      const isSealed = input[0] === 0x73;
      writeFileSync(join(log, `0000000001.${isSealed ? "seg" : "open"}`), input.subarray(1));
      const found = await verifyLog(log);
      const salvaged = await salvageLog({ directory: log, into, disk: hastyDisk });
      if (salvaged.impressions < found.impressions || salvaged.outcomes < found.outcomes)
        throw new Error(`salvage kept less than there is: ${JSON.stringify([found, salvaged])}`);
      const isRead = await settled(recordsIn(log));
      if (isRead !== (found.corrupt.length === 0))
        throw new Error(`read ${isRead}, verified ${JSON.stringify(found)}`);
      const started = await settled(restart(log));
      // A start looks at checksums and ids; what was written wrong is a reader's to find.
      if (started !== found.corrupt.every(isUndecodable) && started !== (found.corrupt.length === 0))
        throw new Error(`started ${started}, verified ${JSON.stringify(found)}`);
      const after = await verifyLog(existsSync(join(into, "log")) && !started ? join(into, "log") : log);
      if (!after.corrupt.every(isUndecodable) || after.truncatedBytes > 0)
        throw new Error(`damage is left: ${JSON.stringify(after)}`);
      return started;
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

function isUndecodable({ reason }: { readonly reason: string }): boolean {
  return reason.startsWith("it cannot be decoded");
}

async function restart(directory: string): Promise<void> {
  const log = await openTestLog(directory, { disk: hastyDisk });
  await log.appendImpression(impressionOf("again", "u1", "kd"));
  await log.appendOutcomes([outcomeOf("o1", "r1", "t1"), outcomeOf("again", "again", "t1")]);
  await log.close();
}

/** False where a sentence with a segment's name says why not. */
async function settled(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof SetlistError && /segment/.test(error.message) && !error.message.includes("\n"))
      return false;
    throw error;
  }
}

const orders = [
  streamMessage(1, 1, framesOf(sampleRecords.slice(0, 3))),
  streamMessage(2, 2, framesOf(sampleRecords.slice(4, 6))),
  streamMessage(3, 3, framesOf(sampleRecords.slice(6))),
];

/** Orders of an answering process, cut into chunks: one that does not get through is refused, or waits for its end. */
async function openOrders(): Promise<OpenTarget> {
  const folder = await mkdtemp(join(tmpdir(), "setlist-fuzz-"));
  const log = await openTestLog(join(folder, "log"), { disk: hastyDisk, segmentBytesMax: 64 * 1024 * 1024 });
  return {
    async take(input) {
      let answered = 0;
      const stream = new Duplex({
        read: () => undefined,
        write(chunk: Buffer, _encoding, done) {
          answered += chunk[8] === 4 ? 1 : 0;
          done();
        },
      });
      serveLog(log, stream);
      const cut = input.length === 0 ? 0 : (input[0] as number) % input.length;
      stream.push(input.subarray(0, cut));
      stream.push(input.subarray(cut));
      stream.push(null);
      await new Promise((resolve) => setImmediate(resolve));
      await log.appendOutcomes([outcomeOf(`after`, "r1", "t1")]);
      return answered > 0;
    },
    async close() {
      await log.close();
      const left = await verifyLog(join(folder, "log"));
      // What an order's records say is its sender's; that they begin where the next reader looks is the log's.
      if (left.corrupt.some(({ reason }) => /checksum|no record starts|length/.test(reason)))
        throw new Error(`orders damaged the log: ${JSON.stringify(left)}`);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const logTargets: readonly Target[] = [
  {
    name: "record",
    share: 20,
    corpus: payloads,
    tokens: ["\u0001", "\u007f", "__proto__", "{}"],
    mutate: asBytes,
    open: async () => openRecords(),
  },
  {
    name: "segment",
    share: 1,
    corpus: segments,
    tokens: ["\u0000".repeat(512)],
    mutate: damagedSegment,
    open: openSegments,
  },
  {
    name: "log-order",
    share: 2,
    corpus: [...orders, Buffer.concat(orders)],
    tokens: [],
    mutate: asBytes,
    open: openOrders,
  },
];
