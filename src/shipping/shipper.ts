import type { Clock } from "../domain/clock.ts";
import type { LogPlace, LogTail, PlacedRecord } from "../domain/log-reading.ts";
import type { ShippingStatus } from "../domain/shipping.ts";
import type { MessageSink } from "./kafka-sink.ts";
import type { EncodedMessage, MessageEncoder } from "./message.ts";
import { Pace } from "./pace.ts";
import { pause } from "./pause.ts";
import type { PositionFile } from "./position-file.ts";

/**
 * What goes in one request, before compression: below the 1 MB that brokers take of one partition, whatever is
 * compressed, and few enough that a position that is one request old is not much to send again.
 */
const batchBytes = 768 * 1024;

/** How often what is new in the log is looked for. */
const pollMs = 100;

/** A failure is followed by so long a wait, twice as long after each more, up to the second. */
const retryMsMin = 200;
const retryMsMax = 10_000;

/** A position is this old at most; what it is behind is sent again after a kill. */
const positionMs = 250;

export interface ShipperOptions {
  readonly tail: LogTail;
  readonly encoder: MessageEncoder;
  readonly sink: MessageSink;
  readonly position: PositionFile;
  readonly bytesPerSecondMax: number;
  readonly clock: Clock;
  readonly describe: (error: unknown) => string;
}

interface Batch {
  readonly messages: readonly EncodedMessage[];
  readonly bytes: number;
  /** When its first record was logged. */
  readonly since: number;
  /** Where the log goes on behind it. */
  readonly end: LogPlace;
  readonly logBytes: number;
}

/** Sends a log on, in its order, one request after the other, and keeps how far it is: at least once. */
export class Shipper {
  readonly #options: ShipperOptions;
  readonly #pace: Pace;
  readonly #stop = new AbortController();
  #acknowledged: LogPlace;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #written: LogPlace | undefined;
  #waitingSince: number | undefined;
  #records = 0;
  #bytes = 0;
  #failures = 0;
  #recordBytes = 0;
  #lastSuccessAt: number | undefined;
  #problem: string | undefined;
  #finishing = false;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#pace = new Pace(options.bytesPerSecondMax);
    this.#acknowledged = options.tail.place;
  }

  /**
   * Until `stop`, or after `finish` until the log's end.
   * @throws {SetlistError} INTERNAL at a damaged record; and what the disk says where the position cannot be kept.
   */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    let wasClosed = this.#finishing;
    let ahead = this.#take();
    while (!signal.aborted) {
      const batch = await ahead;
      if (batch === undefined) {
        // All before it is acknowledged by now; a seal may be behind that.
        this.#acknowledged = this.#options.tail.place;
        this.#waitingSince = undefined;
        await this.#keepPosition(true);
        // What was looked for before the log was closed may not have been its end.
        if (wasClosed) return;
        await pause(pollMs, signal);
      }
      wasClosed = this.#finishing;
      // While this batch is sent the next one is read.
      ahead = this.#take();
      // Its failure is met at the next turn, after this batch has been sent.
      ahead.catch(() => undefined);
      if (batch !== undefined && (await this.#sendUntilAcknowledged(batch))) await this.#keepPosition(false);
    }
    await ahead.catch(() => undefined);
    await this.#keepPosition(true);
  }

  /** The log has been closed: ends once all of it is sent. */
  finish(): void {
    this.#finishing = true;
  }

  stop(): void {
    this.#stop.abort();
  }

  async status(): Promise<ShippingStatus> {
    const lagBytes = await this.#options.tail.bytesBehind(this.#acknowledged);
    const since = this.#waitingSince;
    return {
      records: this.#records,
      bytes: this.#bytes,
      failures: this.#failures,
      lagBytes,
      lagSeconds: since === undefined ? 0 : Math.max(0, this.#options.clock.now() - since) / 1_000,
      lagRecords: this.#recordBytes === 0 ? 0 : Math.round(lagBytes / this.#recordBytes),
      lastSuccessAt: this.#lastSuccessAt,
      shippedThrough: Math.max(0, (this.#written?.segment ?? 0) - 1),
      problem: this.#problem,
    };
  }

  /** Undefined at the log's end for now. */
  async #take(): Promise<Batch | undefined> {
    const { tail, encoder } = this.#options;
    const messages: EncodedMessage[] = [];
    let bytes = 0;
    let logBytes = 0;
    let since: number | undefined;
    while (bytes < batchBytes) {
      const records = await tail.next();
      if (records.length === 0) break;
      since ??= timeOf(records[0] as PlacedRecord);
      for (const record of records) {
        const encoded = encoder.encode(record);
        messages.push(encoded);
        bytes += encoded.bytes;
        logBytes += record.bytes;
      }
    }
    if (since === undefined) return undefined;
    return { messages, bytes, logBytes, since, end: tail.place };
  }

  /** False where it was stopped first. */
  async #sendUntilAcknowledged(batch: Batch): Promise<boolean> {
    const { sink, clock, describe } = this.#options;
    const { signal } = this.#stop;
    this.#waitingSince = batch.since;
    const messages = batch.messages.map(({ message }) => message);
    await pause(this.#pace.take(batch.bytes, clock.monotonic()), signal);
    for (let wait = retryMsMin; !signal.aborted; wait = Math.min(wait * 2, retryMsMax)) {
      try {
        await sink.send(messages);
        this.#note(batch);
        return true;
      } catch (error) {
        this.#failures += 1;
        this.#problem = describe(error);
        await pause(wait, signal);
      }
    }
    return false;
  }

  #note(batch: Batch): void {
    this.#records += batch.messages.length;
    this.#bytes += batch.bytes;
    this.#acknowledged = batch.end;
    this.#recordBytes = batch.logBytes / batch.messages.length;
    this.#lastSuccessAt = this.#options.clock.now();
    this.#problem = undefined;
  }

  async #keepPosition(now: boolean): Promise<void> {
    const { position, clock } = this.#options;
    const place = this.#acknowledged;
    const due = now || clock.monotonic() - this.#writtenAt >= positionMs;
    if (!due || place === this.#written || place.segment === 0) return;
    await position.write(place);
    this.#written = place;
    this.#writtenAt = clock.monotonic();
  }
}

function timeOf({ record }: PlacedRecord): number {
  return record.kind === "outcome" ? record.receivedAt : record.at;
}
