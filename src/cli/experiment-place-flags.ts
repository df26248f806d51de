import { DataDirectoryPlace } from "../app/data/data-directory-place.ts";
import { RunningServerPlace } from "../client/client.ts";
import { loadConfig } from "../config.ts";
import { UsageError } from "../domain/error.ts";
import type { ExperimentPlace } from "../rollout/rollout.ts";

export interface PlaceFlags {
  readonly url?: string;
  readonly dataDir?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Does something at the place that the flags name. */
export async function at(flags: PlaceFlags, work: (place: ExperimentPlace) => Promise<void>): Promise<void> {
  const { url, dataDir, config } = flags;
  refuseBothPlaces(flags);
  const place =
    url === undefined
      ? new DataDirectoryPlace(
          loadConfig({ flags: { dataDir, config }, env: process.env, cwd: process.cwd() }),
        )
      : new RunningServerPlace(url);
  try {
    await work(place);
  } finally {
    await place.close();
  }
}

/** @throws {UsageError} where a server is named and also what is asked without one. */
export function refuseBothPlaces({ url, dataDir, config }: Omit<PlaceFlags, "json">): void {
  if (url === undefined) return;
  if (dataDir !== undefined) throw new UsageError("expected --url or --data-dir, not both");
  if (config !== undefined) throw new UsageError("expected --url or --config, not both");
}

export function print(flags: PlaceFlags, json: unknown, text: () => string): void {
  process.stdout.write(flags.json ? `${JSON.stringify(json, null, 2)}\n` : text());
}
