import type { FastifyInstance } from "fastify";
import Type from "typebox";
import { counted } from "../domain/number-text.ts";
import type { LogTrouble } from "../domain/outcome-log.ts";
import { listedExperiments } from "../rollout/rollout.ts";
import type { HttpContext } from "./context.ts";
import { problems } from "./problem-schema.ts";

const readySchema = Type.Object({
  status: Type.Enum(["starting", "ready", "degraded", "draining"], {
    description:
      "degraded: ready, and the disk refuses the outcome log: outcomes are refused, rank requests are answered.",
  }),
  detail: Type.Optional(
    Type.String({
      description:
        "Model versions that were refused, and why; how old the experiments are where their store cannot be asked (what served before serves on); why the disk refuses the outcome log, and how many impressions wait for it in memory.",
    }),
  ),
});

function wordsOf({ reason, since, impressionsWaiting }: LogTrouble): string {
  return (
    `the disk has refused the outcome log since ${new Date(since).toISOString()}: ${reason}; ` +
    `outcomes are refused, ${counted(impressionsWaiting, "impression waits", "impressions wait")} in memory`
  );
}

/** What an orchestrator and a scraper ask. */
export function offerProbes(
  app: FastifyInstance,
  { readiness, logTrouble, metrics, models, experiments }: HttpContext,
): void {
  app.get(
    "/livez",
    {
      schema: {
        tags: ["operations"],
        summary: "Whether the process answers at all",
        response: { 200: Type.Object({ status: Type.Literal("live") }) },
      },
    },
    async () => ({ status: "live" as const }),
  );

  app.get(
    "/readyz",
    {
      schema: {
        tags: ["operations"],
        summary:
          "Whether to send traffic: every model loaded and warm, and no drain begun; also while the disk refuses the log",
        response: { 200: readySchema, 503: readySchema },
      },
    },
    async (_request, reply) => {
      const trouble = await logTrouble();
      const state = readiness.state();
      const status = state === "ready" && trouble !== undefined ? "degraded" : state;
      const refused = models
        .versions()
        .flatMap(({ name, version, state, reason }) =>
          state === "refused" ? [`model ${name}/${version} was refused: ${reason}`] : [],
        );
      const { stale } = listedExperiments(experiments);
      const details = [
        ...refused,
        ...(stale === undefined ? [] : [`the experiments are those of ${stale.since}: ${stale.reason}`]),
        ...(trouble === undefined ? [] : [wordsOf(trouble)]),
      ];
      const detail = details.length === 0 ? {} : { detail: details.join("; ") };
      return reply.code(state === "ready" ? 200 : 503).send({ status, ...detail });
    },
  );

  app.get(
    "/metrics",
    {
      schema: {
        tags: ["operations"],
        summary: "Metrics in Prometheus' text format",
        response: {
          200: {
            description: "Counters, gauges and histograms",
            content: { "text/plain": { schema: { type: "string" } } },
          },
          ...problems(500),
        },
      },
    },
    async (_request, reply) => {
      reply.type(metrics.contentType);
      return metrics.render();
    },
  );
}
