import { Admin, compatibilityPartitioner, type MessageToProduce, Producer } from "@platformatic/kafka";
import type { KafkaCluster, KafkaCompression } from "../domain/kafka.ts";
import { clientOptions } from "./kafka-client.ts";
import { topicsOf } from "./topics.ts";

/** Where messages go, in their order. */
export interface MessageSink {
  /** Resolves once all of them are acknowledged by every replica in sync; where it rejects, some may be there. */
  send(messages: readonly MessageToProduce[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * One idempotent producer, its acknowledgements those of all replicas in sync, its partitions those of Kafka's own
 * clients: murmur2 of the key. After a failure it begins anew with another one, so that no state of a lost connection
 * can outlive it.
 */
export class KafkaSink implements MessageSink {
  readonly #cluster: KafkaCluster;
  readonly #compression: KafkaCompression;
  #producer: Producer | undefined;

  constructor(cluster: KafkaCluster, compression: KafkaCompression) {
    this.#cluster = cluster;
    this.#compression = compression;
  }

  async send(messages: readonly MessageToProduce[]): Promise<void> {
    this.#producer ??= await this.#open();
    const producer = this.#producer;
    try {
      await producer.send({ messages: [...messages] });
    } catch (error) {
      this.#producer = undefined;
      // Whatever is wrong with the connections, nobody waits for them.
      producer.close(true).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#producer?.close(true).catch(() => undefined);
  }

  async #open(): Promise<Producer> {
    await this.#makeTopics();
    return new Producer({
      ...clientOptions(this.#cluster),
      idempotent: true,
      compression: this.#compression,
      partitioner: compatibilityPartitioner,
    });
  }

  /** Makes what is missing, as the cluster makes topics: its partitions, its replicas. Who may not is told by the send. */
  async #makeTopics(): Promise<void> {
    const admin = new Admin(clientOptions(this.#cluster));
    try {
      for (const topic of Object.values(topicsOf(this.#cluster.topicPrefix))) {
        const isThere = await admin.metadata({ topics: [topic] }).then(
          () => true,
          () => false,
        );
        // Another server may be faster.
        if (!isThere) await admin.createTopics({ topics: [topic] }).catch(() => undefined);
      }
    } finally {
      await admin.close().catch(() => undefined);
    }
  }
}
