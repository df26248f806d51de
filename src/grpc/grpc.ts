/** The gRPC door: the contract of `proto/`, health and reflection. */
import { promisify } from "node:util";
import { type handleUnaryCall, Server, ServerCredentials } from "@grpc/grpc-js";
import type { PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import type { GrpcContext } from "./context.ts";
import { describedContract, loadContract, rawService, type ServiceName } from "./contract.ts";
import * as experimentService from "./experiment-service.ts";
import { offerHealth } from "./health.ts";
import { record } from "./outcome-service.ts";
import { rank } from "./ranking-service.ts";
import { type Call, unary } from "./unary.ts";

export type { GrpcContext } from "./context.ts";

export interface GrpcServer {
  /** Resolves with the port, which the system picks where it is 0. */
  listen(host: string, port: number): Promise<number>;
  /** Takes no new call, answers what is in flight, and cuts off what has not ended after the grace. */
  close(): Promise<void>;
}

export interface GrpcOptions extends GrpcContext {
  /** For calls in flight at `close`: several times a rank request's longest deadline. */
  readonly closeGraceMs?: number;
}

const closeGraceMsDefault = 10_000;

type Handler = (context: GrpcContext, message: unknown, call: Call) => Promise<object> | object;

const handlers: Readonly<Record<ServiceName, Readonly<Record<string, Handler>>>> = {
  "setlist.v1.RankingService": { Rank: rank },
  "setlist.v1.OutcomeService": { Record: record },
  "setlist.v1.ExperimentService": {
    List: experimentService.list,
    Get: experimentService.get,
    History: experimentService.history,
    Assign: experimentService.assign,
  },
};

export function createGrpcServer(options: GrpcOptions): GrpcServer {
  const server = new Server({
    // Twice what is allowed, so that what is a little too large is refused by us, with our detail and our code;
    // past that grpc-js refuses it before it is in memory, with RESOURCE_EXHAUSTED too.
    "grpc.max_receive_message_length": 2 * options.limits.bodyBytesMax,
    // Calls at a time on one connection; past it a client waits, which is a queue on its own side.
    "grpc.max_concurrent_streams": 1_024,
  });
  const contract = loadContract();
  for (const [name, methods] of Object.entries(handlers)) {
    offerService(server, contract, name as ServiceName, methods, options);
  }
  const endWatches = offerHealth(server, options.readiness);
  new ReflectionService(describedContract(contract)).addToServer(server);

  return {
    listen(host, port) {
      const bind = promisify(server.bindAsync.bind(server));
      return bind(hostAndPort(host, port), ServerCredentials.createInsecure());
    },
    async close() {
      const grace = setTimeout(() => server.forceShutdown(), options.closeGraceMs ?? closeGraceMsDefault);
      endWatches();
      await promisify(server.tryShutdown.bind(server))();
      clearTimeout(grace);
    },
  };
}

function offerService(
  server: Server,
  contract: PackageDefinition,
  name: ServiceName,
  methods: Readonly<Record<string, Handler>>,
  context: GrpcContext,
): void {
  const { definition, codecs } = rawService(contract, name);
  const implementation: Record<string, handleUnaryCall<Buffer, Buffer>> = {};
  for (const [method, handler] of Object.entries(methods)) {
    const codec = codecs[method];
    if (codec === undefined)
      throw new Error(`proto/ has no method ${name}/${method}, but the server handles one`);
    implementation[method] = unary(context, `${name}/${method}`, codec, (message, call) =>
      handler(context, message, call),
    );
  }
  server.addService(definition, implementation);
}

/** An IPv6 address goes into brackets, as in a URL. */
function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
