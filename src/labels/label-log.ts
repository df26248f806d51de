import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ColumnarStore, openColumnarStore } from "../columnar/columnar.ts";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { Clock } from "../domain/ports.ts";
import { type LabelFacts, labelCounts, labelSegment } from "./label-segment.ts";
import type { LabelSegment, Teacher } from "./ports.ts";

/** What a run did; candidates of segments that were done before it began count as already labelled. */
export interface Labelling {
  readonly impressions: number;
  readonly labelled: number;
  readonly alreadyLabelled: number;
  /** Candidates that the teacher could not score. */
  readonly unlabelled: number;
  /** The share of the sealed log's candidates that have a label. */
  readonly coverage: number;
  /** Now minus the time of the newest labelled impression; null where there is none. */
  readonly delayMs: number | null;
  readonly teacher: { readonly name: string; readonly version: string };
  readonly segments: number;
  readonly segmentsDoneBefore: number;
  readonly segmentsOpen: number;
}

export interface LabelProgress {
  readonly done: number;
  readonly segments: number;
  readonly labelling: Labelling;
  /** Of the segment, where it was labelled just now. */
  readonly fresh: LabelFacts | undefined;
}

export interface LabelOptions {
  /** The folder of all labels; this teacher's are in `teacher=<name>/version=<version>`. */
  readonly labels: string;
  readonly teacher: Teacher;
  readonly segments: () => Promise<{ readonly sealed: readonly LabelSegment[]; readonly open: number }>;
  readonly clock: Clock;
  readonly onProgress?: ((progress: LabelProgress) => void) | undefined;
  /** Abandons the segment that is under way: the next run begins it again. */
  readonly signal: AbortSignal;
}

/**
 * Labels every sealed segment that has no labels of this teacher yet, one after the other.
 * @throws {SetlistError} ABORTED where another process labels with this teacher; INTERNAL at a damaged segment.
 */
export async function labelLog(options: LabelOptions): Promise<Labelling> {
  return withStore(options, (pass) => pass());
}

/** As `labelLog`, again and again until the signal. */
export async function followLog(options: LabelOptions, pollMs: number): Promise<void> {
  await withStore(options, async (pass) => {
    while (!options.signal.aborted) {
      await pass();
      await sleep(pollMs, undefined, { signal: options.signal }).catch(() => undefined);
    }
  });
}

async function withStore<T>(
  options: LabelOptions,
  work: (pass: () => Promise<Labelling>) => Promise<T>,
): Promise<T> {
  const { labels, teacher } = options;
  const taken = teacher.tasks.find((task) => ["request", "item"].includes(task.toLowerCase()));
  if (taken !== undefined)
    throw invalidArgument(
      `teacher ${teacher.name}: a task named ${taken} would be the labels' key of that name`,
    );
  const root = join(labels, `teacher=${teacher.name}`, `version=${teacher.version}`);
  const store = await openColumnarStore<LabelFacts>(root, labelCounts);
  try {
    const before = new Set(store.done.keys());
    const checked = new Set<string>();
    return await work(() => labelOnce(options, { root, store, before, checked }));
  } finally {
    store.close();
  }
}

/** What the passes of one run share. */
interface Run {
  readonly root: string;
  readonly store: ColumnarStore<LabelFacts>;
  /** The segments that were done when the run began. */
  readonly before: ReadonlySet<string>;
  /** The segments whose marker is known to be of this log. */
  readonly checked: Set<string>;
}

async function labelOnce(options: LabelOptions, { root, store, before, checked }: Run): Promise<Labelling> {
  const { teacher, clock, signal, onProgress } = options;
  const { sealed, open } = await options.segments();
  const total = { impressions: 0, labelled: 0, alreadyLabelled: 0, unlabelled: 0, newestAt: 0, before: 0 };
  const summary = (): Labelling => {
    const labels = total.labelled + total.alreadyLabelled;
    const candidates = labels + total.unlabelled;
    return {
      impressions: total.impressions,
      labelled: total.labelled,
      alreadyLabelled: total.alreadyLabelled,
      unlabelled: total.unlabelled,
      coverage: candidates === 0 ? 1 : labels / candidates,
      delayMs: total.newestAt === 0 ? null : Math.max(0, clock.now() - total.newestAt),
      teacher: { name: teacher.name, version: teacher.version },
      segments: sealed.length - total.before,
      segmentsDoneBefore: total.before,
      segmentsOpen: open,
    };
  };
  for (const [index, segment] of sealed.entries()) {
    signal.throwIfAborted();
    const marker = store.done.get(segment.name);
    if (marker !== undefined && !checked.has(segment.name) && marker.salt !== (await segment.salt()))
      throw new SetlistError(
        "INTERNAL",
        `${root} holds labels of segment ${segment.name} of another log: give each log a data directory of its own, or move the folder away`,
      );
    const fresh =
      marker === undefined
        ? await labelSegment({ segment, salt: await segment.salt(), teacher, root, store, signal })
        : undefined;
    const facts = fresh ?? (marker?.facts as LabelFacts);
    const isNew = !before.has(segment.name);
    checked.add(segment.name);
    total.impressions += facts.impressions;
    total.labelled += isNew ? facts.labelled : 0;
    total.alreadyLabelled += facts.alreadyLabelled + (isNew ? 0 : facts.labelled);
    total.unlabelled += facts.unlabelled;
    total.newestAt = Math.max(total.newestAt, facts.newestAt);
    total.before += isNew ? 0 : 1;
    onProgress?.({ done: index + 1, segments: sealed.length, labelling: summary(), fresh });
  }
  return summary();
}
