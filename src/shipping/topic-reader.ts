import { Consumer, findErrorBy, type KafkaRecord } from "@platformatic/kafka";
import type { KafkaCluster } from "../domain/kafka.ts";
import { clientOptions } from "./kafka-client.ts";

/** Of one answer, and of one partition in it: small enough that several of them are no matter. */
const fetchBytes = 8 * 1024 * 1024;
const partitionBytes = 1024 * 1024;
const waitMs = 250;

/** How a partition is called: `setlist.outcomes/3`. */
type Partition = string;

export interface TopicMessage {
  readonly partition: Partition;
  readonly offset: number;
  /** It ends a transaction, and is nobody's message. */
  readonly control: boolean;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
}

interface Place {
  readonly topic: string;
  readonly topicId: string;
  readonly number: number;
  readonly leader: number;
}

/** The bit of a batch whose records end a transaction. */
const controlBatch = 0x20;

/**
 * Reads topics from offsets that the caller keeps. No consumer group: nothing is committed, nothing rebalanced, and what
 * was read is known from where it landed alone.
 */
export class TopicReader {
  readonly #consumer: Consumer;
  readonly #topics: readonly string[];
  readonly #places = new Map<Partition, Place>();
  cluster = "";

  constructor(cluster: KafkaCluster, topics: readonly string[]) {
    this.#consumer = new Consumer({ ...clientOptions(cluster), groupId: `${cluster.clientId}-ingest` });
    this.#topics = topics;
  }

  get partitions(): readonly Partition[] {
    return [...this.#places.keys()];
  }

  /** Each topic's id, which it has until it is deleted. */
  get topicIds(): ReadonlyMap<string, string> {
    return new Map([...this.#places.values()].map(({ topic, topicId }) => [topic, topicId]));
  }

  /** Looks at what topics and partitions there are and who leads them. @throws where no broker answers. */
  async refresh(): Promise<void> {
    for (const topic of this.#topics) {
      const metadata = await this.#consumer
        .metadata({ topics: [topic], forceUpdate: true })
        .catch((error: Error) => {
          // A kind of record that no server has logged yet; the client has no code for it.
          if (error.message === `Unknown topic ${topic}.`) return undefined;
          if (findErrorBy(error, "apiId", "UNKNOWN_TOPIC_OR_PARTITION") !== null) return undefined;
          throw error;
        });
      const found = metadata?.topics.get(topic);
      if (metadata === undefined || found === undefined) continue;
      this.cluster = metadata.id;
      this.#consumer.topics.track(topic);
      for (const [number, { leader }] of found.partitions.entries()) {
        this.#places.set(`${topic}/${number}`, { topic, topicId: found.id, number, leader });
      }
    }
  }

  /** The first offset of each partition, or that behind the last. */
  async ends(which: "first" | "behind last"): Promise<ReadonlyMap<Partition, number>> {
    const ends = new Map<Partition, number>();
    const topics = [...new Set([...this.#places.values()].map(({ topic }) => topic))];
    if (topics.length === 0) return ends;
    const timestamp = which === "first" ? -2n : -1n;
    const partitions = Object.fromEntries(
      topics.map((topic) => [
        topic,
        [...this.#places.values()].filter((place) => place.topic === topic).map(({ number }) => number),
      ]),
    );
    for (const [topic, offsets] of await this.#consumer.listOffsets({ topics, partitions, timestamp })) {
      for (const [number, offset] of offsets.entries()) ends.set(`${topic}/${number}`, Number(offset));
    }
    return ends;
  }

  /** What comes next from the offsets, in each partition's order; none where there is nothing for a moment. */
  async fetch(offsets: ReadonlyMap<Partition, number>): Promise<readonly TopicMessage[]> {
    const leaders = Map.groupBy(this.#places, ([, { leader }]) => leader);
    const answers = await Promise.all(
      [...leaders].map(([leader, places]) => this.#fetchFrom(leader, places, offsets)),
    );
    return answers.flat();
  }

  async close(): Promise<void> {
    await this.#consumer.close(true).catch(() => undefined);
  }

  async #fetchFrom(
    leader: number,
    places: readonly (readonly [Partition, Place])[],
    offsets: ReadonlyMap<Partition, number>,
  ): Promise<TopicMessage[]> {
    const byTopic = Map.groupBy(places, ([, { topicId }]) => topicId);
    const { responses } = await this.#consumer.fetch({
      node: leader,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: fetchBytes,
      topics: [...byTopic].map(([topicId, of]) => ({
        topicId,
        partitions: of.map(([partition, { number }]) => ({
          partition: number,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
          fetchOffset: BigInt(offsets.get(partition) ?? 0),
          partitionMaxBytes: partitionBytes,
        })),
      })),
    });
    const messages: TopicMessage[] = [];
    for (const { topicId, partitions } of responses) {
      const topic = byTopic.get(topicId)?.[0]?.[1].topic;
      if (topic === undefined) continue;
      for (const { partitionIndex, records } of partitions) {
        const partition = `${topic}/${partitionIndex}`;
        const from = offsets.get(partition) ?? 0;
        for (const batch of records ?? []) {
          const control = (batch.attributes & controlBatch) !== 0;
          for (const record of batch.records) {
            const offset = Number(batch.firstOffset) + record.offsetDelta;
            // A batch is answered whole, also where its middle was asked for.
            if (offset >= from) messages.push(messageOf(record, { partition, offset, control }));
          }
        }
      }
    }
    return messages;
  }
}

function messageOf(
  { value, headers }: KafkaRecord,
  place: Pick<TopicMessage, "partition" | "offset" | "control">,
): TopicMessage {
  return { ...place, value, headers };
}
