/** The gRPC door: the contract of `proto/`, health and reflection. */
import { promisify } from "node:util";
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { listenError } from "../serving/listen-error.ts";
import type { GrpcContext } from "./context.ts";
import { loadContract } from "./contract.ts";
import { offerHealth } from "./health.ts";
import { offerReflection } from "./reflection.ts";
import { offerExperiments, offerOutcomes, offerRanking } from "./services.ts";
import { openSharedPort, type SharedPort } from "./shared-port.ts";

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
  /** For calls in flight at `close`: several times a rank request's longest deadline. */
  readonly closeGraceMs?: number;
}

const closeGraceMsDefault = 10_000;

export function createGrpcServer(options: GrpcOptions): GrpcServer {
  // Its own lines on standard error are no JSON, and what they say reaches us as errors too.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    // Twice what is allowed, so that what is a little too large is refused by us, with our detail and our code;
    // past that grpc-js refuses it before it is in memory, with RESOURCE_EXHAUSTED too.
    "grpc.max_receive_message_length": 2 * options.limits.bodyBytesMax,
    // Calls at a time on one connection; past it a client waits, which is a queue on its own side.
    "grpc.max_concurrent_streams": 1_024,
  });
  const contract = loadContract();
  const drainStreams = offerRanking(server, contract, options);
  offerOutcomes(server, contract, options);
  offerExperiments(server, contract, options);
  const endWatches = offerHealth(server, options.readiness);
  offerReflection(server);

  let sharedPort: SharedPort | undefined;

  return {
    async listen(host, port, shared = false) {
      const bind = promisify(server.bindAsync.bind(server));
      try {
        if (shared) {
          sharedPort = await openSharedPort(server, host, port);
          return sharedPort.port;
        }
        return await bind(hostAndPort(host, port), ServerCredentials.createInsecure());
      } catch (error) {
        throw listenError("grpc", host, port, error);
      }
    },
    async close() {
      const grace = setTimeout(() => server.forceShutdown(), options.closeGraceMs ?? closeGraceMsDefault);
      const ended = sharedPort?.close();
      endWatches();
      drainStreams();
      const shutdown = promisify(server.tryShutdown.bind(server))();
      await Promise.all([shutdown, ended]).finally(() => clearTimeout(grace));
    },
  };
}

/** An IPv6 address goes into brackets, as in a URL. */
function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
