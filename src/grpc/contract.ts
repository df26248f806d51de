import { fileURLToPath } from "node:url";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { protoPath as healthProtoPath } from "grpc-health-check";

export const serviceNames = [
  "setlist.v1.RankingService",
  "setlist.v1.OutcomeService",
  "setlist.v1.ExperimentService",
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The contract of `proto/`, read once at start; the repository's root is where it stands. */
export function loadContract(): PackageDefinition {
  const root = fileURLToPath(new URL("../../proto", import.meta.url));
  return loadSync(
    ["ranking", "outcome", "experiment"].map((name) => `setlist/v1/${name}.proto`),
    {
      includeDirs: [root],
      keepCase: false,
      longs: Number,
      enums: String,
      bytes: Buffer,
      defaults: true,
      arrays: true,
      objects: true,
      oneofs: true,
    },
  );
}

/** Everything that the server offers, for reflection. */
export function describedContract(contract: PackageDefinition): PackageDefinition {
  return { ...contract, ...loadSync(healthProtoPath) };
}

export type RawMethod = MethodDefinition<Buffer, Buffer>;

/** A service whose messages pass as bytes: they are decoded in the handler, where a fault is the caller's. */
export interface RawService {
  readonly definition: ServiceDefinition;
  /** The codec of each method, by its name in the contract. */
  readonly codecs: Readonly<Record<string, MessageCodec>>;
}

export interface MessageCodec {
  /** @throws {Error} where the bytes are no such message. */
  decode(bytes: Buffer): unknown;
  encode(message: object): Buffer;
}

export function rawService(contract: PackageDefinition, name: ServiceName): RawService {
  const service = contract[name] as ServiceDefinition;
  const definition: Record<string, RawMethod> = {};
  const codecs: Record<string, MessageCodec> = {};
  for (const [method, defined] of Object.entries(service)) {
    codecs[method] = { decode: defined.requestDeserialize, encode: defined.responseSerialize };
    definition[method] = {
      ...defined,
      requestDeserialize: same,
      requestSerialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
  }
  return { definition: definition as ServiceDefinition, codecs };
}

const same = (bytes: Buffer): Buffer => bytes;
