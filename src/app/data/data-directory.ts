import { statSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { makeDurably } from "../../columnar/durable-files.ts";
import { SetlistError } from "../../domain/error.ts";

/** Where in a data directory each part of the server keeps its files. */
export function foldersOf(dataDir: string) {
  return {
    log: join(dataDir, "log"),
    features: join(dataDir, "features"),
    warehouse: join(dataDir, "warehouse"),
    labels: join(dataDir, "labels"),
    shipping: join(dataDir, "shipping"),
    analysis: join(dataDir, "analysis"),
  } as const;
}

/** The data directory, and what of it is there from the start. */
function made(dataDir: string): readonly string[] {
  const { log, features } = foldersOf(dataDir);
  return [dataDir, log, features];
}

/** Reading commands make nothing: a directory that is not there is a typing mistake, not an empty log. */
export function existingDataDirectory(dataDir: string): string {
  const found = statSync(dataDir, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new SetlistError(
      "NOT_FOUND",
      `no data directory at ${dataDir}: name the one that the server uses with --data-dir`,
    );
  }
  for (const path of made(dataDir)) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) throw noFolder(path);
  }
  return dataDir;
}

/**
 * The log's folder, for commands that would write something of it: without one this is no server's data directory.
 * @throws {SetlistError} NOT_FOUND where there is none.
 */
export function existingLog(dataDir: string): string {
  const { log } = foldersOf(existingDataDirectory(dataDir));
  if (statSync(log, { throwIfNoEntry: false }) !== undefined) return log;
  throw new SetlistError(
    "NOT_FOUND",
    `no log in ${dataDir}: name the data directory of a server with --data-dir`,
  );
}

/**
 * Makes the data directory and its folders where they do not exist, before anything is opened in them.
 * @throws {SetlistError} UNAVAILABLE with the path that cannot be used, why, and what to do.
 */
export async function usableDataDirectory(dataDir: string): Promise<string> {
  for (const path of made(dataDir)) await usableFolder(path);
  return dataDir;
}

/**
 * Makes a folder where it does not exist.
 * @param flag that names another one.
 * @throws {SetlistError} as `usableDataDirectory`.
 */
export async function usableFolder(path: string, flag = "--data-dir"): Promise<void> {
  try {
    await makeDurably(path);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = codeOf(error);
    throw code === "EEXIST" ? noFolder(path, flag) : unusable(path, flag, code, error);
  }
}

function noFolder(path: string, flag = "--data-dir"): SetlistError {
  return new SetlistError(
    "UNAVAILABLE",
    `the ${whatOf(flag)} cannot be used: ${path} is no folder: name another one with ${flag}`,
  );
}

function unusable(path: string, flag: string, code: string, cause: unknown): SetlistError {
  const reason = reasons[code] ?? "the system refuses it";
  return new SetlistError(
    "UNAVAILABLE",
    `the ${whatOf(flag)} cannot be used: ${path}: ${reason} (${code}); name another one with ${flag}, or change that`,
    { cause },
  );
}

function whatOf(flag: string): string {
  return flag === "--data-dir" ? "data directory" : "folder";
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  ENOTDIR: "a part of the path is no folder",
  ENOENT: "it cannot be made there",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  ENAMETOOLONG: "the path is too long",
};

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : String(error);
}
