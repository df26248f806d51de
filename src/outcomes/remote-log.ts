import type { Duplex } from "node:stream";
import { SetlistError } from "../domain/error.ts";
import type { Impression } from "../domain/impression.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { AppendedOutcomes, Comparison, OutcomeLog } from "../domain/outcome-log.ts";
import { writeComparisonFrame, writeImpressionFrame, writeOutcomeFrame } from "./record-codec.ts";
import { RecordWriter } from "./record-writer.ts";
import {
  done,
  impressionFrames,
  MessageReader,
  outcomeFrames,
  shadowFrames,
  streamMessage,
} from "./stream-messages.ts";

/** More than this sent and unanswered means that the writing process stands still; 5,000 impressions of 200 items. */
const unansweredBytesMax = 32 * 1024 * 1024;

/** A buffer that a rush made larger than this is not kept. */
const keptBytesMax = 1024 * 1024;

interface Order {
  readonly bytes: number;
  readonly settled: PromiseWithResolvers<AppendedOutcomes>;
}

const nothing: AppendedOutcomes = { accepted: 0, duplicates: 0, unmatched: 0 };

/**
 * The log of a process that answers beside others: encodes here, and has the process at the other end of the stream
 * write (`serveLog`). What it promises is what that one's log promises: an impression survives the end of both.
 */
export class RemoteLog implements OutcomeLog {
  readonly #stream: Duplex;
  readonly #onLost: () => void;
  readonly #orders = new Map<number, Order>();
  /** What leaves in a message at once. */
  readonly #frames = new RecordWriter();
  #impressions = new RecordWriter();
  /** Of the impressions that this turn of the event loop brought: they leave in one message. */
  #turn: PromiseWithResolvers<AppendedOutcomes> | undefined;
  #ordersGiven = 0;
  #unansweredBytes = 0;
  #lost: SetlistError | undefined;
  #closed = false;

  /**
   * @param onLost called once where the process that writes has ended, before what waits for it is refused: a refused
   *   impression does not keep its answer from leaving.
   */
  constructor(stream: Duplex, onLost: () => void) {
    this.#stream = stream;
    this.#onLost = onLost;
    const reader = new MessageReader();
    stream.on("data", (chunk: Buffer) => {
      for (const { number, kind, body } of reader.take(chunk)) this.#settle(number, kind, body);
    });
    stream.on("error", (error) => this.#lose(error));
    stream.on("close", () => this.#lose(undefined));
  }

  async appendImpression(impression: Impression): Promise<void> {
    this.#refuse();
    writeImpressionFrame(this.#impressions, impression);
    if (this.#turn === undefined) {
      this.#turn = Promise.withResolvers();
      setImmediate(() => this.#sendImpressions());
    }
    await this.#turn.promise;
  }

  async appendOutcomes(outcomes: readonly Outcome[]): Promise<AppendedOutcomes> {
    this.#refuse();
    const frames = this.#emptied();
    for (const outcome of outcomes) writeOutcomeFrame(frames, outcome);
    if (frames.used === 0) return nothing;
    return this.#send(outcomeFrames, frames, Promise.withResolvers());
  }

  async appendShadow(comparison: Comparison): Promise<void> {
    this.#refuse();
    const frames = this.#emptied();
    writeComparisonFrame(frames, comparison);
    await this.#send(shadowFrames, frames, Promise.withResolvers());
  }

  /** What was appended is answered first. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#sendImpressions();
    await Promise.allSettled([...this.#orders.values()].map(({ settled }) => settled.promise));
    this.#stream.end();
  }

  #emptied(): RecordWriter {
    this.#frames.reset(keptBytesMax);
    return this.#frames;
  }

  #refuse(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#closed) throw unavailable("the outcome log is closed", undefined);
    const bytes = this.#unansweredBytes + this.#impressions.used;
    if (bytes > unansweredBytesMax) {
      throw unavailable(`the process that writes it is behind by ${bytes} bytes`, undefined);
    }
  }

  #sendImpressions(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    void this.#send(impressionFrames, this.#impressions, turn);
    this.#impressions.reset(keptBytesMax);
  }

  #send(
    kind: number,
    frames: RecordWriter,
    settled: PromiseWithResolvers<AppendedOutcomes>,
  ): Promise<AppendedOutcomes> {
    if (this.#lost !== undefined) {
      settled.reject(this.#lost);
      return settled.promise;
    }
    const number = this.#ordersGiven++ % 2 ** 32;
    const message = streamMessage(number, kind, frames.bytes());
    this.#orders.set(number, { bytes: message.length, settled });
    this.#unansweredBytes += message.length;
    this.#stream.write(message);
    return settled.promise;
  }

  #settle(number: number, kind: number, body: Buffer): void {
    const order = this.#orders.get(number);
    if (order === undefined) return;
    this.#orders.delete(number);
    this.#unansweredBytes -= order.bytes;
    if (kind === done) order.settled.resolve(body.length === 0 ? nothing : countsOf(body));
    else order.settled.reject(errorOf(body));
  }

  #lose(cause: unknown): void {
    if (this.#lost === undefined && !this.#closed) this.#onLost();
    this.#lost ??= unavailable("the process that writes it has ended", cause);
    for (const { settled } of this.#orders.values()) settled.reject(this.#lost);
    this.#orders.clear();
  }
}

function countsOf(body: Buffer): AppendedOutcomes {
  return {
    accepted: body.readUInt32LE(0),
    duplicates: body.readUInt32LE(4),
    unmatched: body.readUInt32LE(8),
  };
}

function errorOf(body: Buffer): SetlistError {
  const { code, message, retryAfterSeconds } = JSON.parse(body.toString()) as SetlistError;
  return new SetlistError(code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}

function unavailable(why: string, cause: unknown): SetlistError {
  return new SetlistError("UNAVAILABLE", `the outcome log takes nothing right now: ${why}`, {
    cause,
    retryAfterSeconds: 1,
  });
}
