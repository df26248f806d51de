/** What came back for one request. `code` is the HTTP status or the gRPC code; 0 where no whole answer came. */
export interface Answer {
  readonly ok: boolean;
  readonly code: string;
  readonly degraded: boolean;
  /** The answer's body as it came; empty where none came. */
  readonly body: Buffer;
}

/** Something that takes ready-made requests. `send` never rejects: a broken connection is an answer too. */
export interface Target {
  readonly name: string;
  send(request: Buffer): Promise<Answer>;
  close(): void;
}

/** An answer that did not come, and why. */
export function noAnswer(why: string): Answer {
  return { ok: false, code: why, degraded: false, body: Buffer.alloc(0) };
}
