import { fileURLToPath } from "node:url";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import type { MessageReader } from "./message-reader.ts";

export const serviceNames = [
  "setlist.v1.RankingService",
  "setlist.v1.OutcomeService",
  "setlist.v1.ExperimentService",
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** `proto/` stands beside `src/`. */
export const contractRoot = fileURLToPath(new URL("../../proto", import.meta.url));
export const contractFiles = ["ranking", "outcome", "experiment"].map((name) => `setlist/v1/${name}.proto`);

/** The contract, read once at start, with the fields' JSON names. */
export function loadContract(): PackageDefinition {
  return loadSync([...contractFiles], { includeDirs: [contractRoot] });
}

/** A service whose messages pass as bytes: they are decoded in the handler, where a fault is the caller's. */
export interface RawService {
  readonly definition: ServiceDefinition;
  /** Writes a method's answer from an object with the fields' JSON names. */
  writer(method: string): (answer: object) => Buffer;
  /** Reads a method's request to such an object, without what is not set. */
  reader(method: string): (reader: MessageReader) => object;
}

export function rawService(contract: PackageDefinition, name: ServiceName): RawService {
  const service = contract[name] as ServiceDefinition;
  const raw = Object.entries(service).map(
    ([method, definition]): [string, MethodDefinition<Buffer, Buffer>] => [
      method,
      {
        ...definition,
        requestDeserialize: same,
        requestSerialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    ],
  );
  return {
    definition: Object.fromEntries(raw),
    writer(method) {
      const definition = service[method];
      if (definition === undefined) throw new Error(`proto/ has no method ${name}/${method}`);
      return definition.responseSerialize;
    },
    reader(method) {
      const definition = service[method];
      if (definition === undefined) throw new Error(`proto/ has no method ${name}/${method}`);
      return (reader) => definition.requestDeserialize(reader.whole());
    },
  };
}

const same = (bytes: Buffer): Buffer => bytes;
