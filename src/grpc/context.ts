import type { Logger } from "pino";
import type { Clock } from "../domain/clock.ts";
import type { ExperimentHealthSource } from "../domain/experiment-health.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import type { Limits } from "../domain/limits.ts";
import type { RequestObserver } from "../domain/observers.ts";
import type { Readiness } from "../domain/readiness.ts";
import type { Surfaces } from "../domain/surface.ts";
import type { ExperimentWrites } from "../rollout/rollout.ts";
import type { Serving } from "../serving/serving.ts";

/** What the services answer with. */
export interface GrpcContext {
  readonly serving: Serving;
  readonly experiments: ExperimentStore;
  readonly health: ExperimentHealthSource;
  readonly writes: ExperimentWrites;
  /** The surfaces as the configuration has them. */
  readonly surfaces: Surfaces;
  readonly readiness: Readiness;
  readonly requests: RequestObserver;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
}
