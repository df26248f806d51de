import { readdirSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { childrenOf, purposeOf, residentBytes } from "../../src/telemetry/child-processes.ts";

/** Resident memory of one process of the server at one moment, MiB, and how many files it has open. */
export interface ProcessSample {
  readonly pid: number;
  /** What it is for: `server`, `inference`, `compacting`, `analysing`. */
  readonly what: string;
  readonly mib: number;
  readonly openFiles: number;
}

/**
 * The server and all that it has started and that still runs. Shared pages count in full: parting them among processes,
 * as `proportionalMib` does, walks all pages while the process may touch no new one, 35 ms for a server like ours, which
 * is what p99 then shows.
 */
export function sampleProcesses(pid: number): ProcessSample[] {
  try {
    const one = {
      pid,
      what: purposeOf(pid) ?? "server",
      mib: residentBytes(pid) / 1_048_576,
      openFiles: readdirSync(`/proc/${pid}/fd`).length,
    };
    return [one, ...childrenOf(pid).flatMap(sampleProcesses)];
  } catch {
    // It ended while we looked.
    return [];
  }
}

/** Of a folder and all that is in it; what is taken away meanwhile does not count. */
export async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (it) => (it.isFile() ? it.blocks * 512 : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
