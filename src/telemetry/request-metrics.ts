import type { Registry } from "prom-client";
import type { RequestObserver } from "../domain/observers.ts";
import { requestSecondsBuckets } from "./buckets.ts";
import { tallyCounter, tallyHistogram } from "./tallies.ts";

/** Of the answers of both doors. */
export function requestMetrics(registry: Registry): RequestObserver {
  const total = tallyCounter({
    name: "setlist_requests_total",
    help: "Answers by transport, route and code (an HTTP status, or the name of a gRPC status)",
    labelNames: ["transport", "route", "code"],
    registry,
  });
  const duration = tallyHistogram({
    name: "setlist_request_duration_seconds",
    help: "From a request's arrival to its answer, by transport and route",
    labelNames: ["transport", "route"],
    buckets: requestSecondsBuckets,
    registry,
  });
  return {
    answered(transport, route, code, durationMs): void {
      total(1, transport, route, code);
      if (durationMs !== undefined) duration(durationMs / 1_000, transport, route);
    },
  };
}
