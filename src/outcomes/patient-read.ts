/** Reads so much into `to` from `position` of a file; answers how much it was, 0 at the file's end. */
export type ReadAt = (to: Buffer, position: number) => Promise<number>;

const chunkBytes = 1024 * 1024;
/** What a disk gives up at once, at most. */
const blockBytes = 4096;

/**
 * A whole file of `size` bytes, also from a disk that cannot read parts of it: those are zeros, and counted.
 * @throws what `read` throws that is no I/O error of the disk.
 */
export async function readPatiently(
  read: ReadAt,
  size: number,
): Promise<{ readonly bytes: Buffer; readonly unreadableBytes: number }> {
  const bytes = Buffer.alloc(size);
  let unreadableBytes = 0;
  let at = 0;
  let step = chunkBytes;
  while (at < size) {
    const end = Math.min(at + step, size);
    try {
      const have = await read(bytes.subarray(at, end), at);
      if (have === 0) break;
      at += have;
      step = chunkBytes;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EIO") throw error;
      if (step > blockBytes) step = blockBytes;
      else {
        bytes.fill(0, at, end);
        unreadableBytes += end - at;
        at = end;
      }
    }
  }
  return { bytes: bytes.subarray(0, at), unreadableBytes };
}
