/** What Linux says of the processes that this one has started; elsewhere nothing is known of them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Gauge, type Registry } from "prom-client";

/** Processes that one has started and that still run. */
export function childrenOf(pid: number): readonly number[] {
  // Each of its threads has children of its own.
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}

/** Resident memory of one process, its share of what several have in full, bytes. */
export function residentBytes(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1_024;
}

/** What one of ours is for, by its title or its script; undefined for those that answer, which have metrics of their own. */
export function purposeOf(pid: number): string | undefined {
  const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
  return /setlist-(inference)|(compacting|analysing|shipping)-process\.ts/.exec(line)?.slice(1).find(Boolean);
}

export function childMemoryMetrics(registry: Registry): void {
  new Gauge({
    name: "setlist_child_resident_memory_bytes",
    help: "Resident memory of processes beside those that answer: inference, compacting, analysing, shipping; Linux only",
    labelNames: ["process"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [purpose, bytes] of childMemory()) this.set({ process: purpose }, bytes);
    },
  });
}

function childMemory(): ReadonlyMap<string, number> {
  const memory = new Map<string, number>();
  if (!existsSync("/proc/self/task")) return memory;
  for (const pid of childrenOf(process.pid)) {
    try {
      const purpose = purposeOf(pid);
      if (purpose !== undefined) memory.set(purpose, (memory.get(purpose) ?? 0) + residentBytes(pid));
    } catch {
      // It has ended since it was listed.
    }
  }
  return memory;
}
