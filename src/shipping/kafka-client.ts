import { readFileSync } from "node:fs";
import type { BaseOptions } from "@platformatic/kafka";
import { SetlistError } from "../domain/error.ts";
import type { KafkaCluster } from "../domain/kafka.ts";
import { unreadableReason } from "../domain/unreadable.ts";

/**
 * What every client of a cluster is made with. The library's own retries are few: whoever uses it says how often
 * something failed, and waits longer.
 * @throws {SetlistError} NOT_FOUND where a TLS file cannot be read.
 */
export function clientOptions(cluster: KafkaCluster): BaseOptions {
  const { securityProtocol, saslMechanism, saslUsername, saslPassword } = cluster;
  return {
    clientId: cluster.clientId,
    bootstrapBrokers: [...cluster.brokers],
    connectTimeout: 5_000,
    timeout: 10_000,
    retries: 2,
    retryDelay: 200,
    ...(securityProtocol.endsWith("SSL") && { tls: tlsOptions(cluster), tlsServerName: true }),
    ...(securityProtocol.startsWith("SASL") &&
      saslUsername !== undefined &&
      saslPassword !== undefined && {
        sasl: { mechanism: saslMechanism, username: saslUsername, password: saslPassword },
      }),
  };
}

function tlsOptions({ tlsCaFile, tlsCertFile, tlsKeyFile }: KafkaCluster): NonNullable<BaseOptions["tls"]> {
  return {
    ...(tlsCaFile !== undefined && { ca: pem(tlsCaFile) }),
    ...(tlsCertFile !== undefined && { cert: pem(tlsCertFile) }),
    ...(tlsKeyFile !== undefined && { key: pem(tlsKeyFile) }),
  };
}

function pem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SetlistError("NOT_FOUND", `cannot read ${path}: ${unreadableReason(error)}`, { cause: error });
  }
}

/** All that a failure of the library says, its causes included, in one line. */
export function wordsOf(error: unknown): string {
  const words = new Set<string>();
  const collect = (one: unknown): void => {
    if (!(one instanceof Error)) return;
    words.add(one.message.replace(/\.$/, ""));
    if (one instanceof AggregateError) for (const inner of one.errors) collect(inner);
    collect(one.cause);
  };
  collect(error);
  return [...words].join(": ") || String(error);
}
