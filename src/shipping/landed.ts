import Type, { type Static } from "typebox";
import type { Marker } from "../columnar/columnar.ts";
import { SetlistError } from "../domain/error.ts";
import { parserOf } from "../schema/schema.ts";
import type { RecordIdentity } from "./message.ts";

const whole = Type.Integer({ minimum: 0 });

/** What one batch moved, in its marker: all that is needed to go on behind it. */
const sourceSchema = Type.Object({
  cluster: Type.String(),
  /** By `topic/partition`: the offset behind the last message that was taken. */
  offsets: Type.Record(Type.String(), whole),
  /** By `topic/partition`, then by log: segment, salt and offset of the last record that was landed. */
  logs: Type.Record(Type.String(), Type.Record(Type.String(), Type.Tuple([whole, whole, whole]))),
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
  readonly #offsets = new Map<string, number>();
  readonly #logs = new Map<string, Map<string, Landmark>>();
  #batches = 0;

  /** @throws {SetlistError} INTERNAL where a marker is none of an ingest, or of another cluster's. */
  constructor(warehouse: string, markers: ReadonlyMap<string, Marker<unknown>>, cluster: string) {
    this.#cluster = cluster;
    for (const { segment, source } of markers.values()) {
      if (source === undefined) {
        throw new SetlistError(
          "INTERNAL",
          `${warehouse} holds segment ${segment} of a server's own log: give what is ingested a folder of its own`,
        );
      }
      this.#fold(parseSource(source, `${warehouse}/done/${segment}.json: source`), warehouse);
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

  begin(): LandingBatch {
    return new LandingBatch(this.#cluster, (partition, log) => this.#logs.get(partition)?.get(log));
  }

  /** What was begun is published. */
  add(source: BatchSource): void {
    this.#fold(source, "");
    this.#batches += 1;
  }

  #fold({ cluster, offsets, logs }: BatchSource, warehouse: string): void {
    if (cluster !== this.#cluster) {
      throw new SetlistError(
        "INTERNAL",
        `${warehouse} was ingested from the Kafka cluster ${cluster}, and this is ${this.#cluster}: give each a folder of its own`,
      );
    }
    for (const [partition, offset] of Object.entries(offsets)) {
      this.#offsets.set(partition, Math.max(offset, this.#offsets.get(partition) ?? 0));
    }
    for (const [partition, marks] of Object.entries(logs)) {
      const known = this.#logs.get(partition) ?? new Map<string, Landmark>();
      this.#logs.set(partition, known);
      for (const [log, mark] of Object.entries(marks)) {
        const before = known.get(log);
        if (before === undefined || isBehind(mark, before)) known.set(log, mark);
      }
    }
  }
}

/** One batch under way. */
export class LandingBatch {
  duplicates = 0;
  refused = 0;
  readonly #cluster: string;
  readonly #offsets = new Map<string, number>();
  readonly #logs = new Map<string, Map<string, Landmark>>();
  readonly #before: (partition: string, log: string) => Landmark | undefined;

  constructor(cluster: string, before: (partition: string, log: string) => Landmark | undefined) {
    this.#cluster = cluster;
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
    const last = this.#logs.get(partition)?.get(log) ?? this.#before(partition, log);
    if (last !== undefined && last[0] === segment && last[1] !== salt) {
      throw new SetlistError(
        "INTERNAL",
        `${partition}: two histories of the log ${log} meet at its segment ${segment}: a data directory was copied or put back from a copy; give the server whose records are right another log by moving its log folder away, and ingest into a new folder`,
      );
    }
    const mark: Landmark = [segment, salt, offset];
    if (last !== undefined && !isBehind(mark, last)) {
      this.duplicates += 1;
      return false;
    }
    const known = this.#logs.get(partition) ?? new Map<string, Landmark>();
    this.#logs.set(partition, known.set(log, mark));
    return true;
  }

  source(): BatchSource {
    return {
      cluster: this.#cluster,
      offsets: Object.fromEntries(this.#offsets),
      logs: Object.fromEntries(
        [...this.#logs].map(([partition, marks]) => [
          partition,
          Object.fromEntries([...marks].map(([log, mark]) => [log, [...mark] as [number, number, number]])),
        ]),
      ),
      duplicates: this.duplicates,
      refused: this.refused,
    };
  }
}

function isBehind(mark: Landmark, other: Landmark): boolean {
  return mark[0] > other[0] || (mark[0] === other[0] && mark[2] > other[2]);
}
