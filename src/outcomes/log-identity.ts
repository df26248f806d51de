import { randomUUID } from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { SetlistError } from "../domain/error.ts";

const fileName = "log-id";

/**
 * A name that this log has and no other: made at the first call, kept in the log's folder, so that a folder that begins
 * anew gets another one.
 * @throws {SetlistError} INTERNAL where the file holds something else.
 */
export async function logIdentity(directory: string): Promise<string> {
  const path = join(directory, fileName);
  const known = await read(path);
  if (known !== undefined) return known;
  const draft = `${path}.${process.pid}`;
  const file = await open(draft, "w");
  try {
    await file.writeFile(`${randomUUID()}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  // Never over another's: whoever was first has named it.
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await rm(draft);
  const folder = await open(directory, "r");
  await folder.sync().finally(() => folder.close());
  return (await read(path)) as string;
}

async function read(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (/^[0-9a-f-]{36}$/.test(text)) return text;
  throw new SetlistError("INTERNAL", `${path}: expected the log's UUID, got ${JSON.stringify(text)}`);
}
