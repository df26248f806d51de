import type { SetlistConfig } from "../config.ts";
import { DataDirectoryPlace } from "./data-directory-place.ts";
import type { ExperimentPlace } from "./experiment-place.ts";
import { RunningServerPlace } from "./running-server-place.ts";

/** @param url of a server; the configuration's data directory where undefined. */
export function openExperimentPlace(url: string | undefined, config: () => SetlistConfig): ExperimentPlace {
  return url === undefined ? new DataDirectoryPlace(config()) : new RunningServerPlace(url);
}
