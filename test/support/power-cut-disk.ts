/**
 * A disk in memory whose power can be cut. What was not synced is then there or not, each sector by chance, whatever
 * the order in which it was written; a file is as long as it was or as it has become; names are those of some moment
 * since the last sync of the directory. What was synced is there, and of what a failed sync was to bring some. A sector
 * is written whole or not at all.
 */
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Random } from "../../src/domain/clock.ts";
import type { Disk, LogFile } from "../../src/outcomes/disk.ts";
import { segmentsIn } from "./outcomes-log.ts";

const sectorBytes = 512;

export interface PowerCutDisk extends Disk {
  /** The end: writes what is left into `to`. Nothing that the disk is asked for afterwards succeeds. */
  cut(to: string): Promise<void>;
}

interface Names {
  readonly now: Map<string, Contents>;
  readonly durable: Map<string, Contents>;
  readonly unsynced: ((names: Map<string, Contents>) => void)[];
}

/**
 * Holds the segments of `directory`, all of them durable; the real files stay as they are.
 * @param pause how long a sync takes.
 */
export async function powerCutDisk(
  directory: string,
  random: Random,
  pause: () => Promise<void>,
): Promise<PowerCutDisk> {
  const names: Names = { now: new Map(), durable: new Map(), unsynced: [] };
  for (const name of await segmentsIn(directory)) {
    const contents = new Contents(await readFile(join(directory, name)));
    names.now.set(join(directory, name), contents);
    names.durable.set(join(directory, name), contents);
  }
  let off = false;
  const powered = (): void => {
    if (off) throw new Error("the power is off");
  };
  const change = (how: (names: Map<string, Contents>) => void): void => {
    powered();
    how(names.now);
    names.unsynced.push(how);
  };
  const at = (path: string): Contents => {
    powered();
    const contents = names.now.get(path);
    if (contents === undefined) throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
    return contents;
  };
  const fileOf = (contents: Contents): LogFile => ({
    async write(buffers, position) {
      powered();
      contents.write(Buffer.concat(buffers), position);
    },
    async read(position, bytes) {
      powered();
      return Buffer.from(contents.now.subarray(position, position + bytes));
    },
    async sync() {
      powered();
      const done = contents.beginSync();
      try {
        await pause();
      } catch (error) {
        contents.reachInPart(random);
        throw error;
      }
      powered();
      done();
    },
    async truncate(bytes) {
      powered();
      contents.truncate(bytes);
    },
    close: async () => undefined,
  });
  return {
    async create(path) {
      const made = new Contents(Buffer.alloc(0));
      change((all) => all.set(path, made));
      return fileOf(made);
    },
    open: async (path) => fileOf(at(path)),
    async openToRead(path) {
      powered();
      const contents = names.now.get(path);
      return contents && fileOf(contents);
    },
    async rename(from, to) {
      const moved = at(from);
      change((all) => {
        all.delete(from);
        all.set(to, moved);
      });
    },
    async remove(path) {
      change((all) => all.delete(path));
    },
    makeDirectory: async () => undefined,
    async syncDirectory() {
      powered();
      const { length } = names.unsynced;
      await pause();
      powered();
      for (const how of names.unsynced.splice(0, length)) how(names.durable);
    },
    async cut(to) {
      off = true;
      const kept = Math.floor(random.next() * (names.unsynced.length + 1));
      for (const how of names.unsynced.slice(0, kept)) how(names.durable);
      // In some cuts nearly nothing is lost, in others nearly all.
      const share = random.next();
      for (const [path, contents] of names.durable) {
        await writeFile(join(to, basename(path)), contents.afterCut(random, share));
      }
    },
  };
}

/** A file's bytes as programs see them, and as they are on the disk. */
class Contents {
  now: Buffer;
  #durable: Buffer;
  /** Sectors that differ, or may. */
  #dirty = new Set<number>();

  constructor(bytes: Buffer) {
    this.now = bytes;
    this.#durable = bytes;
  }

  write(bytes: Buffer, position: number): void {
    const next = Buffer.alloc(Math.max(this.now.length, position + bytes.length));
    this.now.copy(next);
    bytes.copy(next, position);
    this.now = next;
    this.#touch(position, position + bytes.length);
  }

  truncate(bytes: number): void {
    this.#touch(bytes, Math.max(this.now.length, this.#durable.length));
    this.now = Buffer.from(this.now.subarray(0, bytes));
  }

  /** What is written until the sync ends may reach the disk or not: only what was written before is sure to. */
  beginSync(): () => void {
    const { now } = this;
    const dirty = this.#dirty;
    const sinceThen = new Set<number>();
    this.#dirty = new Set([...dirty]);
    this.#watched.add(sinceThen);
    return () => {
      this.#watched.delete(sinceThen);
      this.#durable = now;
      this.#dirty = sinceThen;
    };
  }

  /** A sync failed: some of it is on the disk all the same, whatever is written or cut later. */
  reachInPart(random: Random): void {
    this.#durable = this.afterCut(random, random.next());
  }

  readonly #watched = new Set<Set<number>>();

  #touch(from: number, to: number): void {
    for (let sector = Math.floor(from / sectorBytes); sector * sectorBytes < to; sector++) {
      this.#dirty.add(sector);
      for (const sectors of this.#watched) sectors.add(sector);
    }
  }

  afterCut(random: Random, share: number): Buffer {
    const lengths = [this.#durable.length, this.now.length];
    const between =
      Math.min(...lengths) + Math.floor(random.next() * Math.abs(this.now.length - this.#durable.length));
    const length = [...lengths, between][Math.floor(random.next() * 3)] as number;
    const left = Buffer.alloc(length);
    this.#durable.copy(left);
    for (const sector of this.#dirty) {
      if (random.next() > share) continue;
      const start = sector * sectorBytes;
      const end = Math.min(start + sectorBytes, length);
      if (start >= length) continue;
      left.fill(0, start, end);
      this.now.subarray(start, end).copy(left, start);
    }
    return left;
  }
}
