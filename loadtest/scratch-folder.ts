import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for what a command leaves behind, gone with `opened`. */
export async function scratchFolder(
  name: string,
  opened: AsyncDisposableStack,
  directory = tmpdir(),
): Promise<string> {
  const folder = await mkdtemp(join(directory, `setlist-${name}-`));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
