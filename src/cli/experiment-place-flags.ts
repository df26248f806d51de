import type { ExperimentPlace } from "../app/experiment-place.ts";
import { openExperimentPlace } from "../app/open-experiment-place.ts";
import { loadConfig } from "../config.ts";

export interface PlaceFlags {
  readonly url?: string;
  readonly dataDir?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Does something at the place that the flags name. */
export async function at(flags: PlaceFlags, work: (place: ExperimentPlace) => Promise<void>): Promise<void> {
  const { url, dataDir, config } = flags;
  const place = openExperimentPlace(url, () =>
    loadConfig({ flags: { dataDir, config }, env: process.env, cwd: process.cwd() }),
  );
  try {
    await work(place);
  } finally {
    await place.close();
  }
}

export function print(flags: PlaceFlags, json: unknown, text: () => string): void {
  process.stdout.write(flags.json ? `${JSON.stringify(json, null, 2)}\n` : text());
}
