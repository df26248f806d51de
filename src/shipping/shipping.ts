/**
 * The log of a server into Kafka; docs/fleet-log.md is its page. The way out of Kafka is `ingest.ts`, apart from this: it
 * takes DuckDB along, and the process beside every server would have its library in memory for nothing.
 */
export { wordsOf } from "./kafka-client.ts";
export { KafkaSink } from "./kafka-sink.ts";
export { MessageEncoder } from "./message.ts";
export { PositionFile } from "./position-file.ts";
export { Shipper, type ShippingStatus } from "./shipper.ts";
export { topicsOf } from "./topics.ts";
