import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { invalidArgument } from "../domain/error.ts";
import { digestOf } from "./checksum.ts";

/** The Parquet files of a world, one an entity. */
export const worldFiles = { user: "users.parquet", item: "items.parquet" } as const;

/** Changes when rows are written differently than before: what an older version imported is then imported again. */
const layoutVersion = 2;

/**
 * Names the content of a world's Parquet files: the same for the same bytes. A file whose size and time of change are
 * those of the last look is not read again (`notes` remembers them), since hashing 2 million rows takes a second.
 */
export async function worldFingerprint(world: string, notes: string): Promise<string> {
  const paths = Object.values(worldFiles).map((file) => join(world, file));
  const facts = JSON.stringify([layoutVersion, await Promise.all(paths.map(factsOf))]);
  const known = await readFile(notes, "utf8").catch(() => "");
  const [knownFacts, knownFingerprint] = known.split("\n");
  if (knownFacts === facts && knownFingerprint) return knownFingerprint;

  const hash = createHash("sha256").update(`${layoutVersion}`);
  // The files' own digests, so that no byte can wander from the end of one to the beginning of the next.
  for (const path of paths) hash.update(await digestOf(path));
  const fingerprint = hash.digest("hex").slice(0, 32);
  await writeFile(notes, `${facts}\n${fingerprint}\n`);
  return fingerprint;
}

async function factsOf(path: string): Promise<readonly string[]> {
  const facts = await stat(path, { bigint: true }).catch((error: { code?: string }) => {
    throw invalidArgument(
      `${path}: expected the Parquet file of a world, but it cannot be read (${error.code})`,
    );
  });
  return [path, String(facts.ino), String(facts.size), String(facts.mtimeNs), String(facts.ctimeNs)];
}
