import { statSync } from "node:fs";
import { invalidArgument, SetlistError } from "../../domain/error.ts";
import type { EncodedRequest, FeatureStore } from "../../domain/feature-store.ts";
import type { Model, ModelRef } from "../../domain/model.ts";
import { isPseudonym } from "../../domain/pseudonym.ts";
import type { Scorer } from "../../domain/scorer.ts";
import { encodeServed, openImportedFeatureStore } from "../../features/features.ts";
import { openScorer } from "../../inference/inference.ts";
import {
  asksForUser,
  followLog,
  type Labelling,
  type LabelOptions,
  type LabelProgress,
  labelLog,
  type Teacher,
  teacherRequest,
} from "../../labels/labels.ts";
import { sealedSegments } from "../../outcomes/outcomes.ts";
import { systemClock } from "../system-clock.ts";
import { existingLog, foldersOf } from "./data-directory.ts";
import { withStorageSentences } from "./storage-failure.ts";

export type { Labelling, LabelProgress } from "../../labels/labels.ts";

export interface LabelDataOptions {
  readonly dataDir: string;
  readonly models: string;
  readonly world: string;
  readonly cacheRowsMax: number;
  /** The only teacher of the repository where undefined; its highest version where that is. */
  readonly teacher?: ModelRef | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: LabelProgress) => void) | undefined;
  readonly onWarning: (warning: string) => void;
}

/** Candidates of one run of the teacher: far more than serving's, since nobody waits for the first. */
const batchRowsMax = 8_192;
/** A run takes well under a second; a day means never. */
const scoreMsMax = 86_400_000;

/**
 * Labels the sealed log of a data directory, which a server may be using.
 * @throws {SetlistError} with the data directory, teacher, feature store or segment that is wrong.
 */
export async function labelDataDirectory(options: LabelDataOptions): Promise<Labelling> {
  return withStorageSentences(options.dataDir, () => withTeacher(options, labelLog));
}

/** As `labelDataDirectory`, whenever a segment is sealed, until the signal. */
export async function followDataDirectory(options: LabelDataOptions, pollMs: number): Promise<void> {
  return withStorageSentences(options.dataDir, () =>
    withTeacher(options, (labelOptions) => followLog(labelOptions, pollMs)),
  );
}

async function withTeacher<T>(
  options: LabelDataOptions,
  work: (options: LabelOptions) => Promise<T>,
): Promise<T> {
  const { dataDir } = options;
  const log = existingLog(dataDir);
  const { features: imported, labels } = foldersOf(dataDir);
  if (statSync(imported, { throwIfNoEntry: false }) === undefined)
    throw new SetlistError(
      "NOT_FOUND",
      `no feature store in ${dataDir}: a server's start with this data directory imports it`,
    );
  const scorer = await openScorer({
    repository: options.models,
    models: options.teacher === undefined ? undefined : [options.teacher],
    role: "teacher",
    workers: 1,
    batchRowsMax,
    queueRequestsMax: Number.MAX_SAFE_INTEGER,
    clock: systemClock,
    onWarning: options.onWarning,
  });
  try {
    const model = onlyTeacher(scorer.models(), options.models);
    const features = await openImportedFeatureStore({ ...options, directory: imported });
    try {
      features.prepare([model]);
      return await work({
        labels,
        teacher: teacherOf(model, features, scorer),
        segments: () => sealedSegments(log),
        clock: systemClock,
        signal: options.signal,
        onProgress: options.onProgress,
      });
    } finally {
      await features.close();
    }
  } finally {
    await scorer.close();
  }
}

/** The highest version of the one teacher that there is. */
function onlyTeacher(teachers: readonly Model[], repository: string): Model {
  const names = [...new Set(teachers.map(({ name }) => name))];
  const latest = teachers.at(-1);
  if (names.length === 1 && latest !== undefined) return latest;
  throw invalidArgument(`${repository} has several teachers, ${names.join(", ")}: name one with --teacher`);
}

function teacherOf(model: Model, features: FeatureStore, scorer: Scorer): Teacher {
  const { name, version, tasks } = model;
  return {
    name,
    version,
    tasks,
    async score(impression) {
      const encoded = await encodeOrNothing(model, features, impression);
      if (encoded === undefined || encoded === "pseudonymous") return encoded;
      if (encoded.storeUnavailable) {
        encoded.release();
        throw new SetlistError(
          "UNAVAILABLE",
          "the feature store cannot be read: labels from defaults would be wrong",
        );
      }
      const scores = await scorer.score(model, encoded, systemClock.monotonic() + scoreMsMax);
      return scores.probabilities;
    },
  };
}

/** From the log alone where it has the features as they were served, else from the store; otherwise as `Teacher.score`. */
async function encodeOrNothing(
  model: Model,
  features: FeatureStore,
  impression: Parameters<Teacher["score"]>[0],
): Promise<EncodedRequest | "pseudonymous" | undefined> {
  try {
    const served = encodeServed(model, impression);
    if (served !== undefined) return served;
    // The store would answer with defaults, as for anybody it does not know.
    if (isPseudonym(impression.userId) && asksForUser(model, impression)) return "pseudonymous";
    return await features.encode(model, teacherRequest(model, impression));
  } catch (error) {
    if (error instanceof SetlistError && error.code === "INVALID_ARGUMENT") return undefined;
    throw error;
  }
}
