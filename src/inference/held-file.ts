import { close, constants, fstat, open, read } from "node:fs";
import { promisify } from "node:util";

const openFile = promisify(open);
const readFile = promisify(read);
const statFile = promisify(fstat);

/** What is read between two turns of the event loop: 128 KiB are hashed in 0.2 ms. */
const pieceBytes = 128 * 1_024;

/**
 * A file that stays open: whoever has the rights of this process reads it under `from`, also once it was removed.
 * Where the system has no such name for it (other systems than Linux), `from` is its path.
 */
export class HeldFile {
  readonly from: string;
  readonly #fd: number;
  #closed = false;

  private constructor(path: string, fd: number) {
    this.#fd = fd;
    this.from = process.platform === "linux" ? `/proc/${process.pid}/fd/${fd}` : path;
  }

  /** @throws {Error} also where it is no regular file: a pipe is waited for without end, and a device has none. */
  static async open(path: string): Promise<HeldFile> {
    const held = new HeldFile(path, await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK));
    const found = await statFile(held.#fd);
    if (found.isFile()) return held;
    held.close();
    throw new Error("it is no regular file");
  }

  /** The whole of it. @throws {Error} as `open`, and where it has more than `bytesMax`. */
  static async read(path: string, bytesMax: number): Promise<Buffer> {
    const held = await HeldFile.open(path);
    try {
      const pieces: Buffer[] = [];
      let bytes = 0;
      for await (const piece of held.pieces()) {
        bytes += piece.length;
        if (bytes > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
        pieces.push(Buffer.from(piece));
      }
      return Buffer.concat(pieces);
    } finally {
      held.close();
    }
  }

  /** From its beginning to its end, in pieces; one piece's memory is the next one's. */
  async *pieces(): AsyncGenerator<Buffer> {
    const piece = Buffer.allocUnsafeSlow(pieceBytes);
    for (let at = 0; ; ) {
      const { bytesRead } = await readFile(this.#fd, piece, 0, pieceBytes, at);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.#fd, () => undefined);
  }
}
