import { existsSync } from "node:fs";
import { join } from "node:path";
import { invalidArgument } from "../../domain/error.ts";
import { type IngestOptions, type IngestProgress, ingestTopics } from "../../shipping/ingest.ts";
import { usableFolder } from "./data-directory.ts";
import { withStorageSentences } from "./storage-failure.ts";

export type { IngestProgress } from "../../shipping/ingest.ts";

/**
 * Lands a fleet's topics below `warehouse` of a folder, so that the folder can be analysed as a data directory.
 * @throws {SetlistError} as `ingestTopics`; INVALID_ARGUMENT where no broker is named, or the folder is a server's; UNAVAILABLE where the folder cannot
 *   be used.
 */
export async function ingestToFolder(
  options: Omit<IngestOptions, "warehouse"> & { readonly out: string },
): Promise<IngestProgress> {
  const { out, ...rest } = options;
  if (rest.cluster.brokers.length === 0)
    throw invalidArgument(
      "no brokers: name them with --brokers, or in the configuration as shipping.brokers",
    );
  if (existsSync(join(out, "log"))) {
    throw invalidArgument(
      `${out} is a server's data directory, it holds a log: give what is ingested a folder of its own`,
    );
  }
  await usableFolder(out, "--out");
  return withStorageSentences(out, () => ingestTopics({ ...rest, warehouse: join(out, "warehouse") }));
}
