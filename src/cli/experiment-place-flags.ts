import type { Command } from "commander";
import { DataDirectoryPlace } from "../app/data/data-directory-place.ts";
import { RunningServerPlace } from "../client/client.ts";
import { loadConfig } from "../config.ts";
import { UsageError } from "../domain/error.ts";
import type { ExperimentPlace } from "../rollout/rollout.ts";
import { httpAddress } from "./argument.ts";

export interface PlaceFlags {
  readonly url?: string;
  readonly dataDir?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** With the flags that name the place, and the one that says how it is answered. */
export function withPlaceFlags(command: Command): Command {
  return command
    .option(
      "--url <URL>",
      "a running server, such as http://127.0.0.1:8080 (default: the data directory is asked)",
      httpAddress,
    )
    .option(
      "--data-dir <FOLDER>",
      "without --url: the data directory; a server may be using it (default: ./data)",
    )
    .option("--config <FILE>", "without --url: the configuration (default: config/setlist.yaml)")
    .option("--json", "print the answer as JSON, as the API gives it");
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
