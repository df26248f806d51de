import type { Impression } from "../domain/impression.ts";
import type { LogRecord } from "../domain/ports.ts";

/** A sealed segment of the log, as the log's reader gives it. */
export interface LabelSegment {
  readonly name: string;
  salt(): Promise<number>;
  read(): AsyncIterable<readonly LogRecord[]>;
}

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
