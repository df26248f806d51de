import { Counter, type Registry } from "prom-client";
import type { Impression } from "../domain/impression.ts";
import type { RankObserver } from "../domain/observers.ts";
import type { DegradedReason } from "../domain/rank.ts";
import type { ArmMetrics } from "./arm-metrics.ts";
import { candidateBuckets, partSecondsBuckets, requestSecondsBuckets } from "./buckets.ts";
import { tallyCounter, tallyHistogram } from "./tallies.ts";

export type RankMetrics = Pick<RankObserver, "ranked" | "outcomes" | "evaluated" | "exposed"> & {
  impressionDropped(): void;
};

/** Of rank requests, of outcomes and of flags. */
export function rankMetrics(registry: Registry, arms: ArmMetrics): RankMetrics {
  const duration = tallyHistogram({
    name: "setlist_rank_duration_seconds",
    help: "Time in the parts of a rank request together, by surface",
    labelNames: ["surface"],
    buckets: requestSecondsBuckets,
    registry,
  });
  const partDuration = tallyHistogram({
    name: "setlist_rank_part_duration_seconds",
    help: "Time in one part of a rank request, by part",
    labelNames: ["part"],
    buckets: partSecondsBuckets,
    registry,
  });
  const candidates = tallyHistogram({
    name: "setlist_rank_candidates",
    help: "Candidates of a rank request, by surface",
    labelNames: ["surface"],
    buckets: candidateBuckets,
    registry,
  });
  const total = tallyCounter({
    name: "setlist_rank_total",
    help: "Answered rank requests, by surface, model and version; model none where no model scored",
    labelNames: ["surface", "model", "version"],
    registry,
  });
  const degradedAnswers = tallyCounter({
    name: "setlist_rank_degraded_total",
    help: "Reasons for which an answer was less than it could be",
    labelNames: ["reason"],
    registry,
  });
  const defaulted = tallyCounter({
    name: "setlist_rank_defaulted_total",
    help: "Candidates and users that were scored with a model's defaults",
    labelNames: [],
    registry,
  });
  const truncated = tallyCounter({
    name: "setlist_rank_truncated_total",
    help: "Candidates that were not scored, since inference was behind, and kept their order",
    labelNames: [],
    registry,
  });
  const exposures = tallyCounter({
    name: "setlist_assignments_total",
    help: "Assignments that were acted on, by experiment and arm",
    labelNames: ["experiment", "arm"],
    registry,
  });
  const dropped = new Counter({
    name: "setlist_impressions_dropped_total",
    help: "Answers whose impression the log refused",
    registers: [registry],
  });
  const outcomeCounter = new Counter({
    name: "setlist_outcomes_total",
    help: "Outcomes by result; unmatched ones are among the accepted, for a request that the log does not remember",
    labelNames: ["result"],
    registers: [registry],
  });
  for (const result of ["accepted", "duplicate", "rejected", "unmatched"]) outcomeCounter.inc({ result }, 0);
  const evaluations = tallyCounter({
    name: "setlist_flag_evaluations_total",
    help: "Flags evaluated for OpenFeature, by reason: SPLIT, TARGETING_MATCH, DEFAULT, DISABLED",
    labelNames: ["reason"],
    registry,
  });

  return {
    ranked(impression: Impression): void {
      const { surface, model, timings, candidateCount, degraded, assignments } = impression;
      const { assign, features, queue, inference, rank } = timings;
      duration((assign + features + queue + inference + rank) / 1_000, surface);
      partDuration(assign / 1_000, "assign");
      partDuration(features / 1_000, "features");
      partDuration(queue / 1_000, "queue");
      partDuration(inference / 1_000, "inference");
      partDuration(rank / 1_000, "rank");
      candidates(candidateCount, surface);
      total(1, surface, model?.name ?? "none", model?.version ?? "");
      for (const { experiment, arm } of assignments) exposures(1, experiment, arm);
      arms.drafted(impression);
      for (const reason of degraded) {
        const [kind, count] = partsOf(reason);
        degradedAnswers(1, kind);
        if (kind === "defaults") defaulted(count);
        if (kind === "truncated") truncated(count);
      }
    },
    impressionDropped: () => dropped.inc(),
    evaluated: (reason) => evaluations(1, reason),
    exposed: ({ experiment, arm }) => exposures(1, experiment, arm),
    outcomes(accepted, duplicates, rejected, unmatched): void {
      outcomeCounter.inc({ result: "accepted" }, accepted);
      outcomeCounter.inc({ result: "duplicate" }, duplicates);
      outcomeCounter.inc({ result: "rejected" }, rejected);
      outcomeCounter.inc({ result: "unmatched" }, unmatched);
    },
  };
}

/** `defaults:12` is the reason `defaults`, 12 times: the number would be a label without bound. */
function partsOf(reason: DegradedReason): [kind: string, count: number] {
  const colon = reason.indexOf(":");
  return colon < 0 ? [reason, 0] : [reason.slice(0, colon), Number(reason.slice(colon + 1))];
}
