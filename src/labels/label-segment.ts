import { type ColumnarStore, identifier, type Staging } from "../columnar/columnar.ts";
import { isTrackedExposure } from "../domain/impression.ts";
import type { KnownRequests } from "./known-requests.ts";
import { LabelRows, type Scored } from "./label-rows.ts";
import type { LabelSegment, Teacher } from "./ports.ts";

/**
 * What a segment's marker keeps of it. `unlabelled` are items of impressions whose features do not fit the teacher, or
 * whose user is a pseudonym: those are counted once more, and not in markers from before there were pseudonyms.
 */
export interface LabelFacts {
  readonly impressions: number;
  readonly labelled: number;
  readonly alreadyLabelled: number;
  readonly unlabelled: number;
  readonly pseudonymous: number;
  /** The time of the newest impression, ms since 1970, UTC; 0 where there is none. */
  readonly newestAt: number;
}

export const labelCounts = ["impressions", "labelled", "alreadyLabelled", "unlabelled", "newestAt"] as const;

/** Batches of records that are being scored at once: enough to fill the teacher's next run while one runs. */
const batchesUnderWay = 8;

/** Scores a segment's impressions and publishes those labels that are not there yet. */
export async function labelSegment(options: {
  readonly segment: LabelSegment;
  readonly salt: number;
  readonly teacher: Teacher;
  readonly root: string;
  readonly store: ColumnarStore<LabelFacts>;
  /** The requests that have labels; the segment's are added. */
  readonly known: KnownRequests;
  readonly signal: AbortSignal;
}): Promise<LabelFacts> {
  const { segment, salt, teacher, root, store, known, signal } = options;
  return store.stage(async (staging) => {
    const rows = await LabelRows.open(staging, teacher.tasks);
    const underWay: Promise<readonly Scored[]>[] = [];
    try {
      for await (const records of segment.read()) {
        signal.throwIfAborted();
        const impressions = records
          .filter((record) => record.kind === "impression")
          .filter((impression) => !isTrackedExposure(impression));
        const batch = Promise.all(
          impressions.map(async (impression) => ({
            impression,
            probabilities: await teacher.score(impression),
          })),
        );
        // Awaited in its turn: until then its failure must not count as unhandled, which ends the process.
        batch.catch(() => undefined);
        underWay.push(batch);
        if (underWay.length >= batchesUnderWay) rows.append(await (underWay.shift() as typeof batch));
      }
      while (underWay.length > 0) {
        signal.throwIfAborted();
        rows.append(await (underWay.shift() as Promise<readonly Scored[]>));
      }
    } finally {
      await Promise.allSettled(underWay);
    }
    const already = await rows.finish(staging, await known.filesOf(rows.requests));
    const dates = rows.dates;
    const labelled = rows.labelled - already;
    const facts = {
      impressions: rows.impressions,
      labelled,
      alreadyLabelled: already,
      unlabelled: rows.unlabelled,
      pseudonymous: rows.pseudonymous,
      newestAt: rows.newestAt,
    };
    const columns = ["request", "item", ...teacher.tasks].map(identifier).join(", ");
    const kept = await datesLeft(staging, dates);
    await store.publish(
      staging,
      { name: segment.name, salt },
      [
        {
          folder: "",
          dates: kept,
          rows: (date) =>
            `SELECT ${columns} FROM labels WHERE "$date" = ${dates.indexOf(date)} ORDER BY "$n"`,
        },
      ],
      facts,
    );
    const files = store.done.get(segment.name)?.files.map((file) => `${root}/${file}`) ?? [];
    await known.add(rows.requests, files);
    return facts;
  });
}

/** A date of which every label is there already has no file. */
async function datesLeft(staging: Staging, dates: readonly string[]): Promise<string[]> {
  const result = await staging.runAndReadAll(`SELECT DISTINCT "$date" FROM labels ORDER BY 1`);
  return result.getRows().map(([place]) => dates[Number(place)] as string);
}
