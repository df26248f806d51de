import type { Logger } from "pino";
import { markedSegments } from "../../columnar/marker.ts";
import type { SetlistConfig } from "../../config.ts";
import type { Clock } from "../../domain/clock.ts";
import { messageOf } from "../../domain/error.ts";
import { sealedSegments } from "../../outcomes/outcomes.ts";
import { Errand, type Problem } from "../../processes/processes.ts";
import type { CompactionState } from "../../telemetry/telemetry.ts";
import type { Compaction } from "../data/compact-data.ts";
import { foldersOf } from "../data/data-directory.ts";
import { type RetentionConfig, retentionOf } from "../data/retention-config.ts";

/** What a compacting process is asked, and what it answers. */
export interface CompactingOrder {
  readonly dataDir: string;
  readonly retention: RetentionConfig;
}
export type CompactingAnswer =
  | { readonly compaction: Compaction; readonly warnings: readonly string[] }
  | { readonly busy: true };

interface BackgroundCompactionOptions extends Pick<SetlistConfig, "dataDir" | "warehouse"> {
  readonly log: RetentionConfig["log"];
  readonly shipping: RetentionConfig["shipping"];
  readonly clock: Clock;
  readonly logger: Pick<Logger, "info" | "warn">;
}

/** Where nothing new is sealed, age goes on all the same. */
const retentionEveryMs = 3_600_000;

/**
 * Makes Parquet of a server's sealed segments, and deletes what retention says, in a process of its own at a lower
 * priority, one at a time; whether there is anything to do is two listings of folders. What fails is tried again at the
 * next look. Killed at any moment it has done no harm, so closing kills it.
 */
export class BackgroundCompaction implements CompactionState {
  waiting = 0;
  compacted = 0;
  failures = 0;
  lastSuccessAt: number | undefined;
  deletedLogBytes = 0;
  deletedParquetBytes = 0;
  readonly #options: BackgroundCompactionOptions;
  readonly #folders: ReturnType<typeof foldersOf>;
  readonly #errand = new Errand<CompactingOrder, CompactingAnswer>(
    new URL("./compacting-process.ts", import.meta.url),
    "the compaction",
  );
  #timer: NodeJS.Timeout | undefined;
  #retainedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: BackgroundCompactionOptions) {
    this.#options = options;
    this.#folders = foldersOf(options.dataDir);
  }

  /** The first look is one interval from now: a start has other things to do. */
  begin(): void {
    const look = (): void => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    };
    this.#timer = setInterval(look, this.#options.warehouse.intervalMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#errand.kill();
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      await this.#count();
      if (this.#isClosed) return;
      if (this.waiting === 0 && !this.#isRetentionDue()) {
        this.lastSuccessAt = this.#options.clock.now();
        return;
      }
      const { dataDir, log, warehouse, shipping } = this.#options;
      const order = { dataDir, retention: retentionOf({ log, warehouse, shipping }) };
      const answer = await this.#errand.run(order);
      await this.#count();
      this.#settle(answer);
    } catch (error) {
      this.#failed(messageOf(error));
    }
  }

  async #count(): Promise<void> {
    const { sealed } = await sealedSegments(this.#folders.log);
    const done = await markedSegments(this.#folders.warehouse);
    this.waiting = sealed.filter(({ name }) => !done.has(name)).length;
  }

  #isRetentionDue(): boolean {
    const { log, warehouse, clock } = this.#options;
    const hasRules = [log, warehouse].some(
      ({ retentionAgeMs, retentionBytesMax }) => (retentionAgeMs ?? retentionBytesMax) !== undefined,
    );
    return hasRules && clock.monotonic() - this.#retainedAt >= retentionEveryMs;
  }

  #settle(answer: CompactingAnswer | Problem): void {
    const { logger, clock } = this.#options;
    // Somebody else does the same: what is left is seen at the next look.
    if (this.#isClosed || "busy" in answer) return;
    if ("problem" in answer) {
      this.#failed(answer.problem);
      return;
    }
    const { compaction, warnings } = answer;
    this.lastSuccessAt = clock.now();
    this.#retainedAt = clock.monotonic();
    for (const warning of warnings) logger.warn(warning);
    const { segments, impressions, outcomes, retained } = compaction;
    this.compacted += segments;
    if (segments > 0) logger.info({ segments, impressions, outcomes }, "log segments are Parquet now");
    if (retained === undefined) return;
    this.deletedLogBytes += retained.segmentBytes;
    this.deletedParquetBytes += retained.parquetBytes;
    logger.info({ ...retained }, "retention deleted what was too old or too much");
  }

  #failed(problem: string): void {
    if (this.#isClosed) return;
    this.failures += 1;
    this.#options.logger.warn(
      { problem },
      "the log's segments could not be compacted: tried again at the next look",
    );
  }
}

/** The compaction of a server's log, looking from here on where the configuration has it; closed with `opened`. */
export function compactingOver(
  config: Pick<SetlistConfig, "dataDir" | "log" | "warehouse" | "shipping">,
  world: Pick<BackgroundCompactionOptions, "clock" | "logger"> & {
    readonly watch: (state: CompactionState) => void;
  },
  opened: AsyncDisposableStack,
): void {
  if (!config.warehouse.compact) return;
  const compaction = opened.adopt(new BackgroundCompaction({ ...config, ...world }), (it) => it.close());
  world.watch(compaction);
  compaction.begin();
}
