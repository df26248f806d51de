/** What is compressed before it is sent. */
export const kafkaCompressions = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type KafkaCompression = (typeof kafkaCompressions)[number];

/** As Kafka's own clients name them. */
export const kafkaSecurityProtocols = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] as const;
export type KafkaSecurityProtocol = (typeof kafkaSecurityProtocols)[number];

export const kafkaSaslMechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
export type KafkaSaslMechanism = (typeof kafkaSaslMechanisms)[number];

/** `host:port`, whose port is one that can be connected to: the client throws where nobody catches it at any other. */
export const brokerPattern =
  "^[^\\s,:]+:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$";

/** How a cluster is reached, and under which name its topics stand. */
export interface KafkaCluster {
  /** `host:port`, some of the cluster's; none where there is no cluster. */
  readonly brokers: readonly string[];
  /** Each kind of record has a topic: `<topicPrefix>.impressions` and so on. */
  readonly topicPrefix: string;
  readonly clientId: string;
  readonly securityProtocol: KafkaSecurityProtocol;
  /** PEM files, absolute paths; the system's authorities where undefined. */
  readonly tlsCaFile?: string | undefined;
  readonly tlsCertFile?: string | undefined;
  readonly tlsKeyFile?: string | undefined;
  readonly saslMechanism: KafkaSaslMechanism;
  readonly saslUsername?: string | undefined;
  readonly saslPassword?: string | undefined;
}

export interface ShippingSettings extends KafkaCluster {
  readonly compression: KafkaCompression;
  /** Of what is sent, before compression, a second. */
  readonly bytesPerSecondMax: number;
}
