/** The HTTP door: Fastify, JSON, RFC 9457 problems, OpenAPI. */
import { lookup } from "node:dns/promises";
import type { Socket } from "node:net";
import type { ErrorObject } from "ajv";
import Fastify, { type FastifyInstance } from "fastify";
import type { TSchema } from "typebox";
import { invalidArgument } from "../domain/error.ts";
import { compileSchema, describeSchemaError } from "../schema/schema.ts";
import { watchConnections } from "../serving/connections.ts";
import { connectionsMax } from "../serving/connections-max.ts";
import { listenError } from "../serving/listen-error.ts";
import { newRequestId } from "../serving/request-id.ts";
import { clientErrorAnswer } from "./client-error.ts";
import { type ConnectionRules, defaultConnectionRules } from "./connection-rules.ts";
import { type HttpContext, observeRequests } from "./context.ts";
import { errorAnswer, refuseUnknownPaths, refuseWrongMethods } from "./errors.ts";
import { offerExperiments } from "./experiment-routes.ts";
import { offerExperimentWrites } from "./experiment-write-routes.ts";
import { acceptJsonOnly } from "./json-body.ts";
import { offerModels } from "./model-routes.ts";
import { offerFlags } from "./ofrep-routes.ts";
import { describeRoutes } from "./openapi.ts";
import { offerOutcomes } from "./outcomes-route.ts";
import { limitPipelining } from "./pipelining.ts";
import { offerProbes } from "./probe-routes.ts";
import { problemSchema } from "./problem-schema.ts";
import { refuseTooMany } from "./rank-door.ts";
import { offerRank } from "./rank-route.ts";
import { checkRequestHeads } from "./request-head.ts";
import { isSilent } from "./silent-connection.ts";
import { offerSurfaces } from "./surface-routes.ts";
import { offerTracking } from "./track-route.ts";

export type { ConnectionRules } from "./connection-rules.ts";

export interface HttpServer {
  /** Builds the routes ahead of `listen`, which otherwise does: it takes a tenth of a second. */
  prepare(): Promise<void>;
  /**
   * Resolves with the port, which the system picks where it is 0.
   * @param shared with other processes that say so too: the kernel spreads connections over them (SO_REUSEPORT).
   * @throws {SetlistError} UNAVAILABLE where the port is taken or not allowed.
   */
  listen(host: string, port: number, shared?: boolean): Promise<number>;
  /** Takes no new connection, answers what is in flight, and cuts off what has not ended after the grace. */
  close(): Promise<void>;
}

export interface HttpOptions extends HttpContext {
  readonly connectionRules?: Partial<ConnectionRules>;
}

export function createHttpServer(options: HttpOptions): HttpServer {
  const rules = { ...defaultConnectionRules, connectionsMax: connectionsMax(), ...options.connectionRules };
  let app: FastifyInstance | undefined;
  const built = async (): Promise<FastifyInstance> => {
    app ??= await buildRoutes(options, rules);
    return app;
  };
  let connections: ReadonlySet<Socket> = new Set();
  return {
    async prepare() {
      await built();
    },
    async listen(host, port, shared = false) {
      const app = await built();
      connections = watchConnections(app.server, rules.unreadMsMax);
      try {
        // For both addresses of `localhost` Fastify opens a second server, of which none of the limits know.
        const { address } = await lookup(host, { order: "ipv4first" });
        await app.listen({ host: address, port, ...(shared && { reusePort: true }) });
      } catch (error) {
        throw listenError("http", host, port, error);
      }
      const address = app.server.address();
      return typeof address === "object" && address !== null ? address.port : port;
    },
    async close() {
      if (app === undefined) return;
      const { server } = app;
      // Node counts a silent connection as busy, so that `closeIdleConnections` would leave it open until the grace.
      for (const socket of connections) if (isSilent(socket)) socket.destroy();
      // A kept connection that was answered after the close began goes idle, and would hold the server open.
      const idle = setInterval(() => server.closeIdleConnections(), 20);
      const grace = setTimeout(() => server.closeAllConnections(), rules.closeGraceMs);
      await app.close().finally(() => {
        clearInterval(idle);
        clearTimeout(grace);
      });
    },
  };
}

/** Without a port, so that requests can be injected too. */
export async function buildRoutes(context: HttpContext, rules: ConnectionRules): Promise<FastifyInstance> {
  const answerError = errorAnswer(context);
  const app = Fastify({
    bodyLimit: context.limits.bodyBytesMax,
    requestTimeout: rules.requestTimeoutMs,
    keepAliveTimeout: rules.keepAliveTimeoutMs,
    // Node looks for late requests this often; its default of 30 s would make every timeout that long.
    http: {
      headersTimeout: rules.headersTimeoutMs,
      connectionsCheckingInterval: 1_000,
      requireHostHeader: false,
    },
    forceCloseConnections: "idle",
    // Who is already connected is answered to the end; the drain has told new traffic to go elsewhere.
    return503OnClosing: false,
    // Ids in a path may be 256 bytes, three characters each when percent-encoded; longer ones are refused by us.
    routerOptions: { maxParamLength: 1_024 },
    genReqId: newRequestId,
    logger: false,
    clientErrorHandler: clientErrorAnswer(context.requests, rules),
    frameworkErrors: answerError,
  });
  app.server.maxConnections = rules.connectionsMax;
  app.setErrorHandler(answerError);
  app.setValidatorCompiler(({ schema }) => compileSchema(schema as TSchema));
  app.setSchemaErrorFormatter((errors, what) =>
    invalidArgument(describeSchemaError(errors as ErrorObject[], what)),
  );
  app.addSchema(problemSchema);
  acceptJsonOnly(app, context.limits);
  observeRequests(app, context);
  checkRequestHeads(app);
  refuseUnknownPaths(app);

  await describeRoutes(app, answerError);
  const offered = methodsByUrl(app);
  offerRank(app, context);
  offerOutcomes(app, context);
  offerExperiments(app, context);
  offerExperimentWrites(app, context);
  offerSurfaces(app, context);
  offerFlags(app, context);
  offerTracking(app, context);
  offerModels(app, context);
  offerProbes(app, context);
  refuseWrongMethods(app, new Map(offered));
  await app.ready();
  refuseTooMany(app, context);
  limitPipelining(app.server, context.requests);
  return app;
}

/** Notes the methods of every route that is added from here on. */
function methodsByUrl(app: FastifyInstance): Map<string, Set<string>> {
  const offered = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    const methods = offered.get(url) ?? new Set<string>();
    for (const one of [method].flat()) methods.add(one);
    offered.set(url, methods);
  });
  return offered;
}
