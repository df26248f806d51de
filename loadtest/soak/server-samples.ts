import { readdirSync, readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { childrenOf } from "../process-figures.ts";

/** Resident memory of one process of the server at one moment, MiB, and how many files it has open. */
export interface ProcessSample {
  readonly pid: number;
  /** What it is for: `server`, `inference`, `compacting`, `analysing`. */
  readonly what: string;
  readonly mib: number;
  readonly openFiles: number;
}

/** The server and all that it has started and that still runs. */
export function sampleProcesses(pid: number): ProcessSample[] {
  try {
    const one = {
      pid,
      what: whatIs(pid),
      mib: residentMib(pid),
      openFiles: readdirSync(`/proc/${pid}/fd`).length,
    };
    return [one, ...childrenOf(pid).flatMap(sampleProcesses)];
  } catch {
    // It ended while we looked.
    return [];
  }
}

/**
 * As the kernel keeps it, shared pages in full: parting them among processes, as `proportionalMib` does, walks all pages
 * while the process may touch no new one, 35 ms for a server like ours, which is what p99 then shows.
 */
function residentMib(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1_024;
}

/** By its script, of which a command line of ours has one; of those that give themselves a name, by that. */
function whatIs(pid: number): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const script = words.map((word) => basename(word)).find((word) => word.endsWith(".ts"));
  if (script === "main.ts") return "server";
  return (script ?? words[0] ?? "").replace(/^setlist-|-process(-entry)?\.ts$/g, "");
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
