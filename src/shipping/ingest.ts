import { crc32 } from "node:zlib";
import { type ColumnarStore, openColumnarStore } from "../columnar/columnar.ts";
import { SetlistError } from "../domain/error.ts";
import type { KafkaCluster } from "../domain/kafka.ts";
import type { LogRecord } from "../domain/outcome-log.ts";
import { markerCounts, type SegmentFacts, stageSegment } from "../warehouse/warehouse.ts";
import { wordsOf } from "./kafka-client.ts";
import { Landed, type LandingBatch } from "./landed.ts";
import { decodeMessage } from "./message.ts";
import { pause } from "./pause.ts";
import { TopicReader } from "./topic-reader.ts";
import { topicsOf } from "./topics.ts";

export interface IngestProgress {
  readonly batches: number;
  readonly impressions: number;
  readonly outcomes: number;
  readonly comparisons: number;
  /** Messages that were known by where they stood in their log. */
  readonly duplicates: number;
  /** Messages that are no record of ours. */
  readonly refused: number;
  /** Messages that the topics' retention took before they were read. */
  readonly lost: number;
  /** Messages that were in the topics at the last look and are not landed. */
  readonly behind: number;
}

export interface IngestOptions {
  readonly cluster: KafkaCluster;
  /** The folder that gets `impressions/`, `outcomes/`, … and `done/`. */
  readonly warehouse: string;
  /** A batch is landed once it has so many bytes of values, or once its first message is so old, ms. */
  readonly batchBytesMax: number;
  readonly batchMsMax: number;
  /** Ends once everything is landed that was in the topics when it began. */
  readonly once: boolean;
  /** Aborted: lands what it has, and ends. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: IngestProgress) => void;
  readonly onWarning: (warning: string) => void;
}

const retryMsMin = 200;
const retryMsMax = 10_000;
/** Partitions may be added, topics made. */
const lookMs = 30_000;
/** Records are handed over in such groups. */
const groupRecords = 512;

/**
 * Lands the topics of a fleet as Parquet files in the layout of a server's own warehouse, each record exactly once:
 * where it is in each partition, and how far in each log, stands in the marker of every batch, which is published with
 * the batch's files or not at all.
 * @throws {SetlistError} ABORTED where another process writes to the folder; INTERNAL where the folder holds something
 *   else, or where a log has two histories; with `once` UNAVAILABLE where no broker answers.
 */
export async function ingestTopics(options: IngestOptions): Promise<IngestProgress> {
  const store = await openColumnarStore<SegmentFacts>(options.warehouse, markerCounts);
  const reader = new TopicReader(options.cluster, Object.values(topicsOf(options.cluster.topicPrefix)));
  try {
    return await new Ingest(options, store, reader).run();
  } finally {
    await reader.close();
    store.close();
  }
}

class Ingest {
  readonly #options: IngestOptions;
  readonly #store: ColumnarStore<SegmentFacts>;
  readonly #reader: TopicReader;
  readonly #progress = {
    batches: 0,
    impressions: 0,
    outcomes: 0,
    comparisons: 0,
    duplicates: 0,
    refused: 0,
    lost: 0,
    behind: 0,
  };
  /** By partition: from where it is read next. */
  readonly #next = new Map<string, number>();
  /** With `once`: how far there is to go. */
  #goal: ReadonlyMap<string, number> = new Map();
  #landed: Landed | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: IngestOptions, store: ColumnarStore<SegmentFacts>, reader: TopicReader) {
    this.#options = options;
    this.#store = store;
    this.#reader = reader;
  }

  async run(): Promise<IngestProgress> {
    const { once, signal, onProgress } = this.#options;
    await this.#asking(() => this.#reader.refresh());
    if (signal.aborted) return this.#progress;
    if (this.#reader.partitions.length === 0 && once) return this.#progress;
    while (this.#reader.partitions.length === 0 && !signal.aborted) {
      await pause(1_000, signal);
      await this.#asking(() => this.#reader.refresh());
    }
    const landed = new Landed(this.#options.warehouse, this.#store.done, this.#reader.cluster);
    this.#landed = landed;
    if (once) this.#goal = await this.#reader.ends("behind last");
    await this.#asking(() => this.#look(landed));
    while (!signal.aborted && !(once && this.#isThere())) {
      if (performance.now() - this.#lookedAt >= lookMs) await this.#asking(() => this.#look(landed));
      await this.#landBatch(landed);
      this.#progress.behind = await this.#behind();
      onProgress({ ...this.#progress });
    }
    return this.#progress;
  }

  async #landBatch(landed: Landed): Promise<void> {
    const batch = landed.begin(this.#reader.topicIds);
    await this.#store.stage(async (staging) => {
      const { tables, facts } = await stageSegment(staging, { read: () => this.#records(batch) });
      if (batch.isEmpty) return;
      const source = batch.source();
      const salt = crc32(`${this.#options.cluster.topicPrefix}@${source.cluster}`);
      await this.#store.publish(staging, { name: landed.nextName, salt }, tables, facts, source);
      landed.add(source);
      this.#count(facts, batch);
    });
  }

  /** The new records of one batch. */
  async *#records(batch: LandingBatch): AsyncGenerator<readonly LogRecord[], void> {
    const { batchBytesMax, batchMsMax, once, signal } = this.#options;
    let bytes = 0;
    let since: number | undefined;
    while (!signal.aborted && bytes < batchBytesMax) {
      if (since !== undefined && performance.now() - since >= batchMsMax) return;
      if (once && this.#isThere()) return;
      if (since === undefined && performance.now() - this.#lookedAt >= lookMs) return;
      const messages = await this.#asking(() => this.#reader.fetch(this.#next));
      let records: LogRecord[] = [];
      for (const { partition, offset, control, value, headers } of messages ?? []) {
        since ??= performance.now();
        bytes += value?.length ?? 0;
        this.#next.set(partition, offset + 1);
        batch.take(partition, offset + 1);
        if (control) continue;
        const decoded = decodeMessage(value, headers);
        if ("fault" in decoded) this.#refuse(batch, partition, offset, decoded.fault);
        else if (batch.isNew(partition, decoded.identity)) records.push(decoded.record);
        if (records.length < groupRecords) continue;
        yield records;
        records = [];
      }
      if (records.length > 0) yield records;
    }
  }

  #refuse(batch: LandingBatch, partition: string, offset: number, fault: string): void {
    batch.refused += 1;
    this.#options.onWarning(`${partition} offset ${offset} is left out: ${fault}`);
  }

  /** Sees new partitions, and where each is to be read from. @throws {SetlistError} as `Landed.checkTopics`. */
  async #look(landed: Landed): Promise<void> {
    await this.#reader.refresh();
    landed.checkTopics(this.#reader.topicIds);
    for (const [partition, oldest] of await this.#reader.ends("first")) {
      const next = this.#next.get(partition) ?? landed.offsetOf(partition) ?? 0;
      if (next < oldest) {
        this.#progress.lost += oldest - next;
        this.#options.onWarning(
          `${partition}: ${oldest - next} messages from offset ${next} on are gone from the topic before they were ingested`,
        );
      }
      this.#next.set(partition, Math.max(next, oldest));
    }
    this.#lookedAt = performance.now();
  }

  #isThere(): boolean {
    return [...this.#goal].every(
      ([partition, goal]) => (this.#next.get(partition) ?? this.#landed?.offsetOf(partition) ?? 0) >= goal,
    );
  }

  async #behind(): Promise<number> {
    const ends = (await this.#asking(() => this.#reader.ends("behind last"))) ?? new Map<string, number>();
    let behind = 0;
    for (const [partition, end] of ends) behind += Math.max(0, end - (this.#next.get(partition) ?? 0));
    return behind;
  }

  #count(facts: SegmentFacts, { duplicates, refused }: LandingBatch): void {
    const progress = this.#progress;
    progress.batches += 1;
    progress.impressions += facts.impressions;
    progress.outcomes += facts.outcomes;
    progress.comparisons += facts.shadows + facts.counterfactuals;
    progress.duplicates += duplicates;
    progress.refused += refused;
  }

  /** Asks the brokers until they answer, or until aborted; with `once` a few times only. */
  async #asking<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const { signal, once, onWarning } = this.#options;
    for (let wait = retryMsMin; !signal.aborted; wait = Math.min(wait * 2, retryMsMax)) {
      try {
        return await ask();
      } catch (error) {
        if (error instanceof SetlistError) throw error;
        if (wait === retryMsMin) onWarning(`the brokers do not answer, asking again: ${wordsOf(error)}`);
        if (once && wait >= retryMsMax / 2) {
          throw new SetlistError("UNAVAILABLE", `the brokers do not answer: ${wordsOf(error)}`, {
            cause: error,
          });
        }
        await pause(wait, signal);
        // Another broker may lead by now, or what was to be read next be gone.
        const landed = this.#landed;
        await (landed === undefined ? this.#reader.refresh() : this.#look(landed)).catch((failure) => {
          if (failure instanceof SetlistError) throw failure;
        });
      }
    }
    return undefined;
  }
}
