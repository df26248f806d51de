import { invalidArgument } from "../domain/error.ts";
import type { IdBytes } from "../domain/id-bytes.ts";
import type { Limits } from "../domain/limits.ts";
import type { Candidate, CandidateList } from "../domain/rank.ts";

/** Candidates that have nothing but ids, which become text when somebody asks for them. */
export class ByteCandidates implements CandidateList {
  readonly ids: IdBytes;

  /** @throws {SetlistError} INVALID_ARGUMENT where an id is too short or too long, or comes twice. */
  constructor(ids: IdBytes, limits: Limits) {
    this.ids = ids;
    const twice = ids.firstDuplicate();
    // Whatever is wrong first is what is said, as of ids that came as text.
    const checked = twice === undefined ? ids.length : twice.index + 1;
    for (let place = 0; place < checked; place++) {
      const bytes = (ids.ends[place] as number) - (ids.starts[place] as number);
      if (bytes >= 1 && bytes <= limits.idBytesMax) continue;
      throw invalidArgument(
        `candidateIds[${place}]: expected an id of 1 to ${limits.idBytesMax} bytes, got ${bytes}`,
      );
    }
    if (twice === undefined) return;
    throw invalidArgument(
      `candidateIds[${twice.index}]: duplicate of candidateIds[${twice.first}], ${JSON.stringify(ids.text(twice.index))}`,
    );
  }

  get length(): number {
    return this.ids.length;
  }

  at(place: number): Candidate | undefined {
    return place < this.ids.length ? { id: this.ids.text(place), features: undefined } : undefined;
  }

  *[Symbol.iterator](): Iterator<Candidate> {
    for (let place = 0; place < this.ids.length; place++) yield this.at(place) as Candidate;
  }
}
