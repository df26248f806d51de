/** The log of a server into Kafka, and the logs of a fleet out of it as Parquet; docs/fleet-log.md is its page. */
export { type IngestOptions, type IngestProgress, ingestTopics } from "./ingest.ts";
export { wordsOf } from "./kafka-client.ts";
export { KafkaSink } from "./kafka-sink.ts";
export { MessageEncoder } from "./message.ts";
export { PositionFile, shippedThrough } from "./position-file.ts";
export { Shipper, type ShippingStatus } from "./shipper.ts";
export { topicsOf } from "./topics.ts";
