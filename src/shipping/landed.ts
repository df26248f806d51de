import Type, { type Static } from "typebox";
import type { Marker } from "../columnar/columnar.ts";
import { SetlistError } from "../domain/error.ts";
import { parserOf } from "../schema/schema.ts";
import type { RecordIdentity } from "./message.ts";

const whole = Type.Integer({ minimum: 0 });

/** What one batch moved, in its marker: all that is needed to go on behind it. */
const sourceSchema = Type.Object({
  cluster: Type.String(),
  /** By topic: its id when it was read. Older markers have none. */
  topics: Type.Optional(Type.Record(Type.String(), Type.String())),
  /** By `topic/partition`: the offset behind the last message that was taken. */
  offsets: Type.Record(Type.String(), whole),
  /** By `topic/partition`, then by log: segment, salt and offset of the last record that was landed. */
  logs: Type.Record(Type.String(), Type.Record(Type.String(), Type.Tuple([whole, whole, whole]))),
  /** By log, then by segment: the salts of the segments that were met for the first time. Older markers have none. */
  salts: Type.Optional(Type.Record(Type.String(), Type.Record(Type.String(), whole))),
  duplicates: whole,
  refused: whole,
});
export type BatchSource = Static<typeof sourceSchema>;

const parseSource = parserOf(sourceSchema);

type Landmark = readonly [segment: number, salt: number, offset: number];

/**
 * How far the topics are landed, folded from the markers of all batches. Within one partition a log's records stand in
 * their order, some of them again after a shipper began anew: so what is not behind the last one is a duplicate.
 */
export class Landed {
  readonly #cluster: string;
  readonly #warehouse: string;
  readonly #topics = new Map<string, string>();
  readonly #offsets = new Map<string, number>();
  readonly #logs = new Map<string, Map<string, Landmark>>();
  /** By `log/segment`. */
  readonly #salts = new Map<string, number>();
  #batches = 0;

  /** @throws {SetlistError} INTERNAL where a marker is none of an ingest, or of another cluster's. */
  constructor(warehouse: string, markers: ReadonlyMap<string, Marker<unknown>>, cluster: string) {
    this.#cluster = cluster;
    this.#warehouse = warehouse;
    for (const { segment, source } of markers.values()) {
      if (source === undefined) {
        throw new SetlistError(
          "INTERNAL",
          `${warehouse} holds segment ${segment} of a server's own log: give what is ingested a folder of its own`,
        );
      }
      this.#fold(parseSource(source, `${warehouse}/done/${segment}.json: source`));
      this.#batches = Math.max(this.#batches, Number(segment));
    }
  }

  /** The name of the next batch's files. */
  get nextName(): string {
    return String(this.#batches + 1).padStart(10, "0");
  }

  offsetOf(partition: string): number | undefined {
    return this.#offsets.get(partition);
  }

  /**
   * Offsets mean nothing in another topic of the same name.
   * @param topics each one's id now.
   * @throws {SetlistError} INTERNAL where one was deleted and made anew.
   */
  checkTopics(topics: ReadonlyMap<string, string>): void {
    for (const [topic, id] of topics) {
      const known = this.#topics.get(topic);
      if (known === undefined || known === id) continue;
      throw new SetlistError(
        "INTERNAL",
        `the topic ${topic} was deleted and made anew since ${this.#warehouse} was landed: what it has now is ingested into a new folder`,
      );
    }
  }

  /** @param topics each one's id. */
  begin(topics: ReadonlyMap<string, string>): LandingBatch {
    return new LandingBatch(this.#cluster, topics, {
      landmarkOf: (partition, log) => this.#logs.get(partition)?.get(log),
      saltOf: (log, segment) => this.#salts.get(`${log}/${segment}`),
    });
  }

  /** What was begun is published. */
  add(source: BatchSource): void {
    this.#fold(source);
    this.#batches += 1;
  }

  #fold({ cluster, topics = {}, offsets, logs, salts = {} }: BatchSource): void {
    if (cluster !== this.#cluster) {
      throw new SetlistError(
        "INTERNAL",
        `${this.#warehouse} was ingested from the Kafka cluster ${cluster}, and this is ${this.#cluster}: give each a folder of its own`,
      );
    }
    for (const [topic, id] of Object.entries(topics)) this.#topics.set(topic, id);
    for (const [partition, offset] of Object.entries(offsets)) {
      this.#offsets.set(partition, Math.max(offset, this.#offsets.get(partition) ?? 0));
    }
    for (const [partition, marks] of Object.entries(logs)) {
      const known = this.#logs.get(partition) ?? new Map<string, Landmark>();
      this.#logs.set(partition, known);
      for (const [log, mark] of Object.entries(marks)) {
        const before = known.get(log);
        if (before === undefined || isBehind(mark, before)) known.set(log, mark);
        this.#salts.set(`${log}/${mark[0]}`, mark[1]);
      }
    }
    for (const [log, segments] of Object.entries(salts)) {
      for (const [segment, salt] of Object.entries(segments)) this.#salts.set(`${log}/${segment}`, salt);
    }
  }
}

/** What a batch has to know of those before it. */
interface Before {
  landmarkOf(partition: string, log: string): Landmark | undefined;
  saltOf(log: string, segment: number): number | undefined;
}

/** One batch under way. */
export class LandingBatch {
  duplicates = 0;
  refused = 0;
  readonly #cluster: string;
  readonly #offsets = new Map<string, number>();
  readonly #logs = new Map<string, Map<string, Landmark>>();
  readonly #salts = new Map<string, Map<number, number>>();
  readonly #topics: ReadonlyMap<string, string>;
  readonly #before: Before;

  constructor(cluster: string, topics: ReadonlyMap<string, string>, before: Before) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#before = before;
  }

  /** Whether anything was taken from the topics. */
  get isEmpty(): boolean {
    return this.#offsets.size === 0;
  }

  offsetOf(partition: string): number | undefined {
    return this.#offsets.get(partition);
  }

  /** @param next the offset behind what was taken. */
  take(partition: string, next: number): void {
    this.#offsets.set(partition, next);
  }

  /**
   * Whether the record is new.
   * @throws {SetlistError} INTERNAL where two servers write under one log's name: their records cannot be told apart.
   */
  isNew(partition: string, { log, segment, salt, offset }: RecordIdentity): boolean {
    // Of every segment, not of the last alone: what a log that was put back writes stands before it, and would pass for
    // what is landed already.
    const known = this.#salts.get(log)?.get(segment) ?? this.#before.saltOf(log, segment);
    if (known !== undefined && known !== salt) {
      throw new SetlistError(
        "INTERNAL",
        `${partition}: two histories of the log ${log} meet at its segment ${segment}: a data directory was copied or put back from a copy; give the server whose records are right another log by moving its log folder away, and ingest into a new folder`,
      );
    }
    if (known === undefined) {
      const salts = this.#salts.get(log) ?? new Map<number, number>();
      this.#salts.set(log, salts.set(segment, salt));
    }
    const mark: Landmark = [segment, salt, offset];
    const last = this.#logs.get(partition)?.get(log) ?? this.#before.landmarkOf(partition, log);
    if (last !== undefined && !isBehind(mark, last)) {
      this.duplicates += 1;
      return false;
    }
    const marks = this.#logs.get(partition) ?? new Map<string, Landmark>();
    this.#logs.set(partition, marks.set(log, mark));
    return true;
  }

  source(): BatchSource {
    return {
      cluster: this.#cluster,
      topics: Object.fromEntries(this.#topics),
      offsets: Object.fromEntries(this.#offsets),
      logs: Object.fromEntries(
        [...this.#logs].map(([partition, marks]) => [
          partition,
          Object.fromEntries([...marks].map(([log, mark]) => [log, [...mark] as [number, number, number]])),
        ]),
      ),
      salts: Object.fromEntries(
        [...this.#salts].map(([log, segments]) => [log, Object.fromEntries(segments)]),
      ),
      duplicates: this.duplicates,
      refused: this.refused,
    };
  }
}

function isBehind(mark: Landmark, other: Landmark): boolean {
  return mark[0] > other[0] || (mark[0] === other[0] && mark[2] > other[2]);
}
