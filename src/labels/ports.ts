import type { Impression } from "../domain/impression.ts";
import type { LogSegment } from "../domain/log-reading.ts";

/** A sealed segment, of which labels are only read. */
export type LabelSegment = Pick<LogSegment, "name" | "salt" | "read">;

/** A teacher that is loaded and has the features that serving had. */
export interface Teacher {
  readonly name: string;
  readonly version: string;
  /** The columns of a label. */
  readonly tasks: readonly string[];
  /**
   * `[items, tasks] float32`, row-major, for the impression's items in their order; undefined where what the request
   * sent does not fit the teacher; `pseudonymous` where it reads of the user what only the user's id would lead to, and
   * the log has neither that nor the features as they were served.
   */
  score(impression: Impression): Promise<Float32Array | "pseudonymous" | undefined>;
}
