import { readdirSync, readFileSync } from "node:fs";
import { childrenOf } from "../src/telemetry/child-processes.ts";

/** What Linux says of a process; USER_HZ, the unit of its times, is 100 on every platform that Node runs on. */
const msPerTick = 10;

/** Processor time of a process since it began, its threads and the processes that it has outlived included, ms. */
function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is a name in brackets, which may hold blanks; utime, stime, cutime and cstime are the 14th to 17th.
  const ticks = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15);
  return ticks.reduce((sum, one) => sum + Number(one), 0) * msPerTick;
}

/** Processor time of a process and of all that it has started, the workers of a server's processes too, ms. */
export function treeProcessorMs(pid: number): number {
  return sumOver(pid, processorMs);
}

/** Resident memory of a process and of all that it has started, MiB. */
export function residentMib(pid: number): number {
  return sumOver(pid, proportionalMib);
}

/** File descriptors that a process and all that it has started have open. */
export function treeDescriptors(pid: number): number {
  return sumOver(pid, (one) => readdirSync(`/proc/${one}/fd`).length);
}

/** Resident memory of one process, MiB; a page that several have counts in parts. */
export function proportionalMib(pid: number): number {
  const [, kib = "0"] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kib) / 1_024;
}

function sumOver(pid: number, of: (pid: number) => number): number {
  return childrenOf(pid).reduce((sum, child) => sum + sumOverChild(child, of), of(pid));
}

/** One that has ended since it was listed, as compaction does, has nothing any more. */
function sumOverChild(pid: number, of: (pid: number) => number): number {
  try {
    return sumOver(pid, of);
  } catch {
    return 0;
  }
}
