import { readFileSync } from "node:fs";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import { unreadableReason } from "../domain/unreadable.ts";
import type { SetlistConfig } from "./settings.ts";

/** Half of what `openssl rand -hex 32` prints: 128 bits that nobody can try one after the other. */
const keyCharactersMin = 32;

/**
 * The configuration with the key of the log's pseudonyms in place, read from its file where the environment has none.
 * No message repeats any of it.
 * @throws {SetlistError} NOT_FOUND where the file cannot be read, INVALID_ARGUMENT where the key is too short.
 */
export function withUserIdKey(config: SetlistConfig): SetlistConfig {
  const { userIdKey, userIdKeyFile } = config.log;
  const source = userIdKey === undefined ? userIdKeyFile : "SETLIST_LOG_USER_ID_KEY";
  if (source === undefined) return config;
  // An editor ends a file with a line break, which is no part of the key.
  const key = (userIdKey ?? readKey(source)).trim();
  if (key.length < keyCharactersMin) {
    throw invalidArgument(
      `${source}: expected a key of at least ${keyCharactersMin} characters, such as openssl rand -hex 32 makes, got ${key.length}`,
    );
  }
  return { ...config, log: { ...config.log, userIdKey: key } };
}

function readKey(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = unreadableReason(error);
    throw new SetlistError("NOT_FOUND", `log.userIdKeyFile: ${file} cannot be read: ${reason}`);
  }
}
