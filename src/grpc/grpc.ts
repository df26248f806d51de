/** The gRPC door: the contract of `proto/`, health and reflection. */
import { promisify } from "node:util";
import { logVerbosity, Server, setLogVerbosity } from "@grpc/grpc-js";
import { connectionsMax } from "../serving/connections-max.ts";
import { listenError } from "../serving/listen-error.ts";
import { type ConnectionRules, defaultConnectionRules } from "./connection-rules.ts";
import type { GrpcContext } from "./context.ts";
import { loadContract } from "./contract.ts";
import { offerHealth } from "./health.ts";
import { watchCalls } from "./open-calls.ts";
import { openPort, type Port } from "./port.ts";
import { offerReflection, reflectionPaths } from "./reflection.ts";
import { offerExperiments, offerOutcomes, offerRanking } from "./services.ts";

export interface GrpcServer {
  /**
   * Resolves with the port, which the system picks where it is 0.
   * @param shared with other processes that say so too: the kernel spreads connections over them (SO_REUSEPORT).
   * @throws {SetlistError} UNAVAILABLE where the port is taken or not allowed.
   */
  listen(host: string, port: number, shared?: boolean): Promise<number>;
  /** Takes no new call, answers what is in flight, and cuts off what has not ended after the grace. */
  close(): Promise<void>;
}

export interface GrpcOptions extends GrpcContext {
  readonly connectionRules?: Partial<ConnectionRules>;
}

export function createGrpcServer(options: GrpcOptions): GrpcServer {
  // Its own lines on standard error are no JSON, and what they say reaches us as errors too.
  setLogVerbosity(logVerbosity.NONE);
  const rules = { ...defaultConnectionRules, connectionsMax: connectionsMax(), ...options.connectionRules };
  const server = new Server({
    // Twice what is allowed, so that what is a little too large is refused by us, with our detail and our code;
    // past that grpc-js refuses it before it is in memory, with RESOURCE_EXHAUSTED too.
    "grpc.max_receive_message_length": 2 * options.limits.bodyBytesMax,
    "grpc.max_concurrent_streams": rules.callsMax,
    "grpc.max_connection_idle_ms": rules.idleMs,
    "grpc.keepalive_time_ms": rules.keepaliveMs,
    "grpc.keepalive_timeout_ms": rules.keepaliveTimeoutMs,
    "grpc-node.max_session_memory": rules.sessionMemoryMb,
  });
  const contract = loadContract();
  const drainStreams = offerRanking(server, contract, options, rules.rankStreamsMax);
  offerOutcomes(server, contract, options);
  offerExperiments(server, contract, options);
  const endWatches = offerHealth(server, options.readiness);
  offerReflection(server);

  let opened: Port | undefined;
  let stopWatching = (): void => undefined;

  return {
    async listen(host, port, shared = false) {
      try {
        opened = await openPort(server, host, port, shared, rules);
      } catch (error) {
        throw listenError("grpc", host, port, error);
      }
      stopWatching = watchCalls(opened.port, streamingPaths, rules);
      return opened.port;
    },
    async close() {
      const grace = setTimeout(() => {
        server.forceShutdown();
        opened?.cut();
      }, rules.closeGraceMs);
      const ended = opened?.close();
      endWatches();
      drainStreams();
      const shutdown = promisify(server.tryShutdown.bind(server))();
      await Promise.all([shutdown, ended]).finally(() => clearTimeout(grace));
      stopWatching();
    },
  };
}

/** A unary call's one message has to come in time; on these a client says more whenever it likes. */
const streamingPaths: ReadonlySet<string> = new Set([
  "/setlist.v1.RankingService/RankStream",
  ...reflectionPaths,
]);
