/** Reads one segment from its start to its end, checks every frame, and says how it ended. */
import type { FileHandle } from "node:fs/promises";
import { type Damage, judgeDamage, nextFrame } from "./damage.ts";
import { checkFrame, cutShort, describeFault, frameHeaderBytes, payloadBytesMax } from "./frame.ts";
import { impressionKind, isComparisonKind, outcomeKind, readSeal, sealKind } from "./record-codec.ts";
import { openSegmentFile, type SegmentFile, segmentFile } from "./segment-file.ts";
import { decodeSegmentHeader, segmentHeaderBytes } from "./segment-header.ts";

/**
 * What one read decodes to must fit the young generation, or the collector copies all of it: records of 50 items came
 * at 190 MB/s of CPU time with 64 KiB, 130 with 256 KiB, 96 with 1 MiB.
 */
const chunkBytes = 64 * 1024;

/** What is wrong, and where: `offset` in bytes, `record` counted from 0 within the segment. */
export interface SegmentFault {
  readonly damage: Damage;
  readonly offset: number;
  readonly record: number;
  readonly reason: string;
}

/** Called for every impression, outcome and comparison; the bytes are valid during the call only. */
export type FrameVisitor = (buffer: Buffer, payloadStart: number, payloadEnd: number) => void;

/**
 * A pass over one segment, as long as it was when it was opened: so one that is being written can be read too.
 * Call `next` until it answers false; then `fault` and `sealed` are known.
 */
export class SegmentScan {
  readonly file: SegmentFile;
  /** Bytes of the file when it was opened; less where it was cut since. */
  size: number;
  salt = 0;
  impressions = 0;
  outcomes = 0;
  shadows = 0;
  /** Behind the last valid record. */
  offset = segmentHeaderBytes;
  /** The last record is the seal. */
  sealed = false;
  fault: SegmentFault | undefined;
  readonly #handle: FileHandle;
  #buffer: Buffer = Buffer.alloc(0);
  /** `#buffer[#start, #end)` is what was read but not yet looked at; it stands at `offset` of the file. */
  #start = 0;
  #end = 0;
  #skipped = false;
  /** The chunk behind `#end`, read while the one before it is looked at. */
  readonly #ahead: Buffer;
  #reading: { readonly at: number; readonly done: Promise<number> } | undefined;

  private constructor(file: SegmentFile, handle: FileHandle, size: number) {
    this.file = file;
    this.size = size;
    this.#handle = handle;
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, Math.max(size, 1)));
    this.#ahead = Buffer.allocUnsafeSlow(this.#buffer.length);
  }

  /** Valid records so far, without the seal. */
  get records(): number {
    return this.impressions + this.outcomes + this.shadows;
  }

  /** Undefined where the segment is gone; one that was sealed since it was listed is found under its new name. */
  static async open(listed: SegmentFile, directory: string): Promise<SegmentScan | undefined> {
    const names = listed.sealed ? [listed] : [listed, segmentFile(directory, listed.number, true)];
    for (const file of names) {
      const handle = await openSegmentFile(file);
      if (handle === undefined) continue;
      const stats = await handle.stat();
      const scan = new SegmentScan(file, handle, stats.size);
      await scan.#readHeader(stats.isFile());
      return scan;
    }
    return undefined;
  }

  /** Reads on and shows every whole record to `visit`. False at the end, or at a record that is not valid. */
  async next(visit: FrameVisitor): Promise<boolean> {
    if (this.fault !== undefined) return false;
    await this.#fill();
    const reason = this.#consume(visit);
    if (reason !== undefined) await this.#judge(reason);
    else if (this.offset < this.size) return true;
    else if (this.file.sealed && !this.sealed) this.#corrupt("the segment ends without its seal");
    return false;
  }

  /** Goes on behind a fault, for whoever wants to see what is left. False where nothing valid is. */
  async skipFault(): Promise<boolean> {
    if (this.salt === 0) return false;
    const next = nextFrame(await this.#read(this.offset, this.size), 1, this.salt, this.offset);
    if (next === undefined) return false;
    this.offset += next;
    this.#start = 0;
    this.#end = 0;
    this.#skipped = true;
    this.fault = undefined;
    return true;
  }

  async close(): Promise<void> {
    await this.#reading?.done.catch(() => undefined);
    await this.#handle.close();
  }

  async #readHeader(isFile: boolean): Promise<void> {
    const header = isFile
      ? decodeSegmentHeader(await this.#read(0, segmentHeaderBytes), this.file.number)
      : { fault: "it is no file" };
    if (!("fault" in header)) {
      this.salt = header.salt;
      return;
    }
    // The header is on the disk before the first record is written: without records it is a file that was being made.
    const torn = isFile && !this.file.sealed && this.size <= segmentHeaderBytes;
    this.offset = 0;
    this.fault = { damage: torn ? "torn" : "corrupt", offset: 0, record: 0, reason: header.fault };
  }

  /** Moves what is left to the front and reads behind it; makes room for a record longer than the buffer. */
  async #fill(): Promise<void> {
    const left = this.#end - this.#start;
    const wanted = Math.min(this.size - this.offset, Math.max(chunkBytes, this.#frameBytes(left)));
    const to = wanted > this.#buffer.length ? Buffer.allocUnsafeSlow(wanted) : this.#buffer;
    this.#buffer.copy(to, 0, this.#start, this.#end);
    this.#buffer = to;
    this.#start = 0;
    this.#end = left;
    while (this.#end < wanted) {
      const at = this.offset + this.#end;
      const bytesRead = await this.#readOn(at, wanted - this.#end);
      if (bytesRead === 0) {
        this.size = at;
        return;
      }
      this.#end += bytesRead;
    }
    this.#readAhead(this.offset + this.#end);
  }

  /** Up to `bytes` from `at` of the file to `#end` of the buffer; 0 at the end of the file. */
  async #readOn(at: number, bytes: number): Promise<number> {
    const reading = this.#reading;
    this.#reading = undefined;
    const ahead = await reading?.done;
    if (ahead === undefined || reading?.at !== at) {
      return (await this.#handle.read(this.#buffer, this.#end, bytes, at)).bytesRead;
    }
    return this.#ahead.copy(this.#buffer, this.#end, 0, Math.min(ahead, bytes));
  }

  #readAhead(at: number): void {
    if (at >= this.size) return;
    const done = this.#handle.read(this.#ahead, 0, this.#ahead.length, at).then(({ bytesRead }) => bytesRead);
    done.catch(() => undefined);
    this.#reading = { at, done };
  }

  #frameBytes(left: number): number {
    if (left < frameHeaderBytes) return 0;
    return frameHeaderBytes + Math.min(this.#buffer.readUInt32LE(this.#start + 8), payloadBytesMax);
  }

  /** Undefined where more is to be read or nothing is left; else why the next record is not valid. */
  #consume(visit: FrameVisitor): string | undefined {
    const atEnd = this.offset + (this.#end - this.#start) >= this.size;
    while (this.#start < this.#end) {
      const payloadBytes = checkFrame(this.#buffer, this.#start, this.#end, this.salt, this.offset);
      if (payloadBytes === cutShort && !atEnd) return undefined;
      if (payloadBytes < 0) return describeFault(payloadBytes);
      if (this.sealed) return "there is data behind the seal";
      const payloadStart = this.#start + frameHeaderBytes;
      const payloadEnd = payloadStart + payloadBytes;
      const reason = this.#take(visit, payloadStart, payloadEnd);
      if (reason !== undefined) return reason;
      this.#start = payloadEnd;
      this.offset += frameHeaderBytes + payloadBytes;
    }
    return undefined;
  }

  #take(visit: FrameVisitor, payloadStart: number, payloadEnd: number): string | undefined {
    const kind = this.#buffer[payloadStart];
    try {
      if (kind === sealKind) return this.#checkSeal(payloadStart, payloadEnd);
      if (kind !== impressionKind && kind !== outcomeKind && !isComparisonKind(kind))
        return `its kind, ${kind}, is unknown`;
      visit(this.#buffer, payloadStart, payloadEnd);
    } catch (error) {
      if (error instanceof RangeError) return `it cannot be decoded: ${error.message}`;
      throw error;
    }
    if (kind === impressionKind) this.impressions++;
    else if (kind === outcomeKind) this.outcomes++;
    else this.shadows++;
    return undefined;
  }

  #checkSeal(payloadStart: number, payloadEnd: number): string | undefined {
    const seal = readSeal(this.#buffer, payloadStart, payloadEnd);
    const { impressions, outcomes, shadows } = this;
    const right = seal.impressions === impressions && seal.outcomes === outcomes && seal.shadows === shadows;
    this.sealed = true;
    if (right || this.#skipped) return undefined;
    return (
      `the seal counts ${seal.impressions} impressions, ${seal.outcomes} outcomes and ${seal.shadows} comparisons, ` +
      `the segment has ${impressions}, ${outcomes} and ${shadows}`
    );
  }

  /** A record whose checksum is right is never torn, however little sense it makes. */
  async #judge(reason: string): Promise<void> {
    const payloadBytes = checkFrame(this.#buffer, this.#start, this.#end, this.salt, this.offset);
    if (this.file.sealed || this.sealed || payloadBytes > 0) return this.#corrupt(reason);
    const damage = judgeDamage(await this.#read(this.offset, this.size), this.salt, this.offset);
    this.#stop(damage, reason);
  }

  #corrupt(reason: string): void {
    this.#stop("corrupt", reason);
  }

  #stop(damage: Damage, reason: string): void {
    this.fault = { damage, offset: this.offset, record: this.records, reason };
  }

  async #read(from: number, to: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(to, this.size) - from));
    let have = 0;
    while (have < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, have, buffer.length - have, from + have);
      if (bytesRead === 0) break;
      have += bytesRead;
    }
    return buffer.subarray(0, have);
  }
}
