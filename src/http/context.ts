import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { Clock } from "../domain/clock.ts";
import type { ExperimentHealthSource } from "../domain/experiment-health.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import type { Limits } from "../domain/limits.ts";
import type { ModelLibrary } from "../domain/model-life.ts";
import type { MetricsSource, RequestObserver } from "../domain/observers.ts";
import type { LogTrouble } from "../domain/outcome-log.ts";
import type { Readiness } from "../domain/readiness.ts";
import type { Scorer } from "../domain/scorer.ts";
import type { Surfaces } from "../domain/surface.ts";
import type { ExperimentWrites } from "../rollout/rollout.ts";
import type { Serving } from "../serving/serving.ts";

/** What the routes answer with. */
export interface HttpContext {
  readonly serving: Serving;
  readonly experiments: ExperimentStore;
  readonly health: ExperimentHealthSource;
  readonly writes: ExperimentWrites;
  /** The surfaces as the configuration has them. */
  readonly surfaces: Surfaces;
  readonly scorer: Scorer;
  readonly models: ModelLibrary;
  readonly readiness: Readiness;
  /** Why the disk refuses the outcome log, undefined where it does not. */
  readonly logTrouble: () => Promise<LogTrouble | undefined>;
  readonly metrics: MetricsSource;
  readonly requests: RequestObserver;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Monotonic ms at which the request line and headers had arrived. */
    receivedAt: number;
  }
}

/** Notes each request's arrival, from which its deadline and its duration count, and counts its answer. */
export function observeRequests(app: FastifyInstance, { clock, requests, readiness }: HttpContext): void {
  app.decorateRequest("receivedAt", 0);
  app.addHook("onRequest", (request, _reply, next) => {
    request.receivedAt = clock.monotonic();
    next();
  });
  app.addHook("onSend", (_request, reply, _payload, next) => {
    // While draining, a client that keeps its connection learns with its next answer to open one elsewhere.
    if (readiness.state() === "draining") reply.header("connection", "close");
    next();
  });
  app.addHook("onResponse", (request, reply, next) => {
    const durationMs = clock.monotonic() - request.receivedAt;
    requests.answered("http", routeOf(request), String(reply.statusCode), durationMs);
    next();
  });
}

/** The route's pattern: a path would be a label without bound. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? "none";
}
