import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** The names, sizes and times of a folder's files: another text wherever a file came, went or was written. */
export async function folderSignature(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const files = await Promise.all(
    names.sort().map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined);
      return found === undefined ? name : `${name}:${found.size}:${found.mtimeMs}:${found.ino}`;
    }),
  );
  return files.join("\n");
}
