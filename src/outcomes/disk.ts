/**
 * What the log asks of a file system. Tests hand in one that fails on demand; the real one is `realDisk`.
 */
import { writevSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { QuickWrites } from "./quick-writes.ts";

export interface LogFile {
  /** Writes all of it, in one call of the system where that takes it whole. Rejects after a short write too. */
  write(buffers: readonly Buffer[], position: number): Promise<void>;
  read(position: number, bytes: number): Promise<Buffer>;
  /** The data, and the length, are on the disk. */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  /** A new, empty file, also where a failed attempt left one. */
  create(path: string): Promise<LogFile>;
  /** An existing file, for reading and writing. */
  open(path: string): Promise<LogFile>;
  /** Undefined where there is no such file. Needs no permission to write. */
  openToRead(path: string): Promise<Pick<LogFile, "read" | "close"> | undefined>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** The names in the directory are on the disk. */
  syncDirectory(path: string): Promise<void>;
}

export const realDisk: Disk = {
  create: async (path) => logFile(await open(path, "w+")),
  open: async (path) => logFile(await open(path, "r+")),
  async openToRead(path) {
    try {
      return logFile(await open(path, "r"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  },
  rename,
  remove: (path) => rm(path),
  async makeDirectory(path) {
    await mkdir(path, { recursive: true });
  },
  async syncDirectory(path) {
    const directory = await open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};

function logFile(handle: FileHandle): LogFile {
  const quick = new QuickWrites();
  const writeHere = (buffers: Buffer[], position: number): number => {
    const began = performance.now();
    try {
      return writevSync(handle.fd, buffers, position);
    } finally {
      quick.took(began, performance.now());
    }
  };
  return {
    async write(buffers, position) {
      let at = position;
      let rest = without(buffers, 0);
      while (rest.length > 0) {
        const bytesWritten = quick.isQuick(lengthOf(rest), performance.now())
          ? writeHere(rest, at)
          : (await handle.writev(rest, at)).bytesWritten;
        if (bytesWritten === 0) throw new Error("the file system took no byte");
        at += bytesWritten;
        rest = without(rest, bytesWritten);
      }
    },
    async read(position, bytes) {
      const buffer = Buffer.allocUnsafeSlow(bytes);
      let have = 0;
      while (have < bytes) {
        const { bytesRead } = await handle.read(buffer, have, bytes - have, position + have);
        if (bytesRead === 0) break;
        have += bytesRead;
      }
      return buffer.subarray(0, have);
    },
    sync: () => handle.datasync(),
    truncate: (bytes) => handle.truncate(bytes),
    close: () => handle.close(),
  };
}

/** What is left of `buffers` after their first `bytes`; no empty ones. */
function without(buffers: readonly Buffer[], bytes: number): Buffer[] {
  const rest: Buffer[] = [];
  let skip = bytes;
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length;
    else {
      rest.push(buffer.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}

function lengthOf(buffers: readonly Buffer[]): number {
  let bytes = 0;
  for (const { length } of buffers) bytes += length;
  return bytes;
}
