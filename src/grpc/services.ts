import type { Server } from "@grpc/grpc-js";
import type { PackageDefinition } from "@grpc/proto-loader";
import { knownExperiment, listedExperiments, readableRevision } from "../rollout/rollout.ts";
import { serverTiming } from "../serving/server-timing.ts";
import type { GrpcContext } from "./context.ts";
import { rawService } from "./contract.ts";
import { experimentWrites } from "./experiment-writes.ts";
import { readRankRequest } from "./rank-request-codec.ts";
import { writeRankResponse } from "./rank-response-codec.ts";
import { rankStreams } from "./rank-stream.ts";
import { readAssignRequest, readId, readNothing, readRecordRequest } from "./request-codecs.ts";
import { surfaceMethods } from "./surface-methods.ts";
import { unary } from "./unary.ts";
import { wireExperiment } from "./wire-experiment.ts";

/** Returns what ends the streams at a drain: they would keep a closing server waiting for their clients. */
export function offerRanking(
  server: Server,
  contract: PackageDefinition,
  context: GrpcContext,
  rankStreamsMax: number,
): () => void {
  const { serving } = context;
  const { definition } = rawService(contract, "setlist.v1.RankingService");
  const streams = rankStreams(context, rankStreamsMax);
  server.addService(definition, {
    Rank: unary(context, {
      route: "RankingService/Rank",
      read: readRankRequest,
      idOf: (request) => request.requestId,
      async handle(request, call) {
        const named = request.requestId === undefined ? { ...request, requestId: call.requestId } : request;
        const answer = await serving.rank(named, call.receivedAt, call.timeoutMs, call.signal());
        call.trailer.set("server-timing", serverTiming(answer.timings));
        return answer;
      },
      write: writeRankResponse,
    }),
    RankStream: streams.open,
  });
  return streams.drain;
}

export function offerOutcomes(server: Server, contract: PackageDefinition, context: GrpcContext): void {
  const { definition, writer } = rawService(contract, "setlist.v1.OutcomeService");
  server.addService(definition, {
    Record: unary(context, {
      route: "OutcomeService/Record",
      read: readRecordRequest,
      handle: (outcomes) => context.serving.recordOutcomes(outcomes),
      write: writer("Record"),
    }),
  });
}

export function offerExperiments(server: Server, contract: PackageDefinition, context: GrpcContext): void {
  const { experiments, health, serving } = context;
  const { definition, writer } = rawService(contract, "setlist.v1.ExperimentService");
  server.addService(definition, {
    List: unary(context, {
      route: "ExperimentService/List",
      read: readNothing,
      handle: async () => {
        await experiments.refresh();
        const listed = listedExperiments(experiments);
        return { ...listed, experiments: listed.experiments.map(wireExperiment) };
      },
      write: writer("List"),
    }),
    Get: unary(context, {
      route: "ExperimentService/Get",
      read: readId,
      handle: async (id) => wireExperiment(await knownExperiment(experiments, id)),
      write: writer("Get"),
    }),
    History: unary(context, {
      route: "ExperimentService/History",
      read: readId,
      handle: async (asked) => {
        const { id } = await knownExperiment(experiments, asked);
        return {
          revisions: (await experiments.history(id)).map((revision) => ({
            ...readableRevision(revision),
            experiment: wireExperiment(revision.document),
          })),
        };
      },
      write: writer("History"),
    }),
    Health: unary(context, {
      route: "ExperimentService/Health",
      read: readId,
      handle: (id) => health.healthOf(id),
      write: writer("Health"),
    }),
    Assign: unary(context, {
      route: "ExperimentService/Assign",
      read: readAssignRequest,
      handle: ({ unit, ...facts }) => ({ unit, ...serving.assignments(unit, facts) }),
      write: writer("Assign"),
    }),
    ...experimentWrites(contract, context),
    ...surfaceMethods(contract, context),
  });
}
