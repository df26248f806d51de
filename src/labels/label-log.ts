import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ColumnarStore, openColumnarStore, type Staging } from "../columnar/columnar.ts";
import type { Clock } from "../domain/clock.ts";
import { SetlistError } from "../domain/error.ts";
import { KnownRequests } from "./known-requests.ts";
import { checkSameTasks, checkTaskNames } from "./label-columns.ts";
import { type LabelFacts, labelCounts, labelSegment } from "./label-segment.ts";
import { type Labelling, LabelTally } from "./labelling.ts";
import type { LabelSegment, Teacher } from "./ports.ts";

export interface LabelProgress {
  readonly done: number;
  readonly segments: number;
  readonly labelling: Labelling;
  /** Of the segment that was labelled just now; undefined where a pass begins. */
  readonly fresh: LabelFacts | undefined;
}

export interface LabelOptions {
  /** The folder of all labels; this teacher's are in `teacher=<name>/version=<version>`. */
  readonly labels: string;
  readonly teacher: Teacher;
  readonly segments: () => Promise<{ readonly sealed: readonly LabelSegment[]; readonly open: number }>;
  readonly clock: Clock;
  /** Where a pass begins, with what is done already, and after every segment. */
  readonly onProgress?: ((progress: LabelProgress) => void) | undefined;
  /** Abandons the segment that is under way: the next run begins it again. */
  readonly signal: AbortSignal;
}

/**
 * Labels every sealed segment that has no labels of this teacher yet, one after the other.
 * @throws {SetlistError} ABORTED where another process labels with this teacher; INTERNAL at a damaged segment;
 *   INVALID_ARGUMENT where the teacher's tasks are not those of the labels that are there.
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
  checkTaskNames(teacher);
  const root = join(labels, `teacher=${teacher.name}`, `version=${teacher.version}`);
  const store = await openColumnarStore<LabelFacts>(root, labelCounts);
  try {
    await checkSameTasks(store, root, teacher);
    const before = new Set(store.done.keys());
    return await store.stage((index) => {
      const run = { root, store, index, before, checked: new Set<string>(), known: undefined };
      return work(() => labelOnce(options, run));
    });
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
  /** The database of `known`. */
  readonly index: Staging;
  /** Opened for the first segment that is labelled: a run with nothing to do reads no labels. */
  known: KnownRequests | undefined;
}

async function labelOnce(options: LabelOptions, run: Run): Promise<Labelling> {
  const { teacher, clock, signal, onProgress } = options;
  const { root, store, before, checked } = run;
  const { sealed, open } = await options.segments();
  const tally = new LabelTally();
  const left: LabelSegment[] = [];
  for (const segment of sealed) {
    signal.throwIfAborted();
    const facts = await factsOf(segment, run);
    if (facts === undefined) left.push(segment);
    else tally.add(facts, before.has(segment.name));
  }
  const summary = (): Labelling => tally.labelling(teacher, open, clock.now());
  const progress = (done: number, fresh?: LabelFacts): void =>
    onProgress?.({ done, segments: sealed.length, labelling: summary(), fresh });
  progress(sealed.length - left.length);
  for (const [index, segment] of left.entries()) {
    signal.throwIfAborted();
    run.known ??= await KnownRequests.open(run.index, filesDone(run));
    const { known } = run;
    const salt = await segment.salt();
    const fresh = await labelSegment({ segment, salt, teacher, root, store, known, signal });
    checked.add(segment.name);
    tally.add(fresh, false);
    progress(sealed.length - left.length + index + 1, fresh);
  }
  return summary();
}

function filesDone({ root, store }: Run): (readonly string[])[] {
  return [...store.done.values()].map(({ files }) => files.map((file) => `${root}/${file}`));
}

/** Undefined where the segment has no labels yet. */
async function factsOf(
  segment: LabelSegment,
  { root, store, checked }: Run,
): Promise<LabelFacts | undefined> {
  const marker = store.done.get(segment.name);
  if (marker !== undefined && !checked.has(segment.name) && marker.salt !== (await segment.salt()))
    throw new SetlistError(
      "INTERNAL",
      `${root} holds labels of segment ${segment.name} of another log: give each log a data directory of its own, or move the folder away`,
    );
  if (marker !== undefined) checked.add(segment.name);
  return marker?.facts;
}
