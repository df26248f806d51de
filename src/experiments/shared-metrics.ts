import Type, { type Static } from "typebox";
import { invalidArgument } from "../domain/error.ts";
import { nearest, parserOf } from "../schema/schema.ts";
import { completeMetric, metricSchema } from "./metric-document.ts";

/** Metrics that several experiments' files use by `use: ID`, each as an experiment would declare it. */
const sharedMetricsSchema = Type.Object(
  { metrics: Type.Array(metricSchema, { maxItems: 1_000 }) },
  { additionalProperties: false },
);
type SharedMetric = Static<typeof metricSchema>;

const parseShared = parserOf(sharedMetricsSchema);

/** By id. @throws {SetlistError} INVALID_ARGUMENT with the field that is wrong, or the id that is there twice. */
export function parseSharedMetrics(value: unknown, what: string): ReadonlyMap<string, SharedMetric> {
  const shared = new Map<string, SharedMetric>();
  for (const [index, metric] of parseShared(value, what).metrics.entries()) {
    if (shared.has(metric.id)) {
      throw invalidArgument(`metrics[${index}].id: another metric is called ${JSON.stringify(metric.id)}`);
    }
    completeMetric(metric);
    shared.set(metric.id, metric);
  }
  return shared;
}

/**
 * A document as written, each `{ use: ID, … }` among its metrics replaced by the shared metric, over which what stands
 * beside `use` goes. So an experiment keeps the definition that it began with: a shared file that changes later changes
 * none that is kept.
 * @throws {SetlistError} INVALID_ARGUMENT where there is no such shared metric.
 */
export function withSharedMetrics(written: unknown, shared: ReadonlyMap<string, SharedMetric>): unknown {
  const { metrics } = (written ?? {}) as { readonly metrics?: unknown };
  if (!Array.isArray(metrics)) return written;
  const used = metrics.map((metric: unknown, index) => {
    if (metric === null || typeof metric !== "object" || !("use" in metric)) return metric;
    const { use, ...own } = metric;
    const found = typeof use === "string" ? shared.get(use) : undefined;
    if (found !== undefined) return { ...found, ...own };
    const hint =
      shared.size === 0 ? ": there is no file of shared metrics" : nearest(String(use), [...shared.keys()]);
    throw invalidArgument(`metrics[${index}].use: no shared metric ${JSON.stringify(use)}${hint}`);
  });
  return { ...(written as object), metrics: used };
}
