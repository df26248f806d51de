import { dirname, join, resolve } from "node:path";
import { invalidArgument, messageOf, SetlistError, UsageError } from "../domain/error.ts";
import { nearest, parserOf } from "../schema/schema.ts";
import { checkHoldouts, checkSurfaces, complete, root } from "./complete.ts";
import { type ConfigFile, configFileSchema } from "./config-file.ts";
import { defaultConfigFile } from "./defaults.ts";
import {
  readSetting,
  type SettingValue,
  settings,
  suspectVariables,
  userIdKeyVariable,
} from "./environment.ts";
import type { SetlistConfig } from "./settings.ts";
import { readYamlFile } from "./yaml-file.ts";

export interface ConfigInput {
  /** By their names in the configuration file: `httpPort`. `config` is the file itself. */
  readonly flags: Readonly<Record<string, string | number | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Against which relative paths of flags and variables resolve. */
  readonly cwd: string;
}

const pathNames = ["dataDir", "models", "world", "experiments"] as const;
const parseFile = parserOf(configFileSchema);

/**
 * A flag goes before its environment variable, that before the configuration file, that before the default.
 * Paths are relative to where they stand: of a flag or variable to `cwd`, of a file to its folder; defaults to the
 * project, the data directory's to `cwd`.
 * @throws {UsageError} with the flag that is wrong.
 * @throws {SetlistError} INVALID_ARGUMENT with the variable, or the file, line and field that is wrong, and
 *   the nearest valid name where one is unknown; NOT_FOUND where the file cannot be read.
 */
export function loadConfig({ flags, env, cwd }: ConfigInput): SetlistConfig {
  refuseUnknownFlags(flags);
  const named = flags["config"] ?? present(env["SETLIST_CONFIG"]);
  const file = named === undefined ? join(root, defaultConfigFile) : resolve(cwd, String(named));
  const yaml = readYamlFile(file);
  const written = yaml.refine(() => checkHoldouts(checkSurfaces(parseFile(yaml.value, "configuration"))));

  const merged = structuredClone(written) as Record<string, unknown>;
  for (const name of pathNames) {
    const path = written[name];
    if (path !== undefined) merged[name] = resolve(dirname(file), path);
  }
  const keyFile = written.log?.userIdKeyFile;
  if (keyFile !== undefined) put(merged, ["log", "userIdKeyFile"], resolve(dirname(file), keyFile));
  overlay(merged, { flags, env, cwd });
  return complete(merged as ConfigFile, {
    file,
    cwd,
    warnings: suspectVariables(env),
    userIdKey: present(env[userIdKeyVariable]),
  });
}

/** Puts flags and variables over the file's values, one at a time, so that a wrong one is told by its own name. */
function overlay(merged: Record<string, unknown>, { flags, env, cwd }: ConfigInput): void {
  for (const setting of settings) {
    const { path, variable } = setting;
    const [name = "", inner] = path;
    const flag = inner === undefined ? flags[name] : undefined;
    const text = flag ?? present(env[variable]);
    if (text === undefined) continue;
    const source = flag === undefined ? variable : flagOf(name);
    const read = (): SettingValue => {
      const value = readSetting(setting, text, source);
      const partial = {};
      put(partial, path, value);
      check(partial, source, path.join("."));
      return value;
    };
    const value = flag === undefined ? read() : asUsage(read);
    const isPath = [...pathNames, "log.userIdKeyFile"].includes(path.join("."));
    put(merged, path, isPath ? resolve(cwd, String(value)) : value);
  }
}

/** Puts a value at its place, beside what stands there. */
function put(into: Record<string, unknown>, [name = "", ...inner]: readonly string[], value: unknown): void {
  if (inner.length === 0) {
    into[name] = value;
    return;
  }
  const below = { ...(into[name] as object | undefined) };
  put(below, inner, value);
  into[name] = below;
}

/** The same complaint about a flag is wrong usage. */
function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SetlistError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function check(partial: object, source: string, field: string): void {
  try {
    parseFile(partial, source);
  } catch (error) {
    const message = messageOf(error);
    throw invalidArgument(
      message.startsWith(`${field}:`) || message.startsWith(`${field}[`)
        ? source + message.slice(field.length)
        : message,
    );
  }
}

/** A variable that is set to nothing counts as not set, as shells and compose files leave them. */
function present(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function refuseUnknownFlags(flags: ConfigInput["flags"]): void {
  const known = [
    "config",
    ...settings.filter(({ path }) => path.length === 1).map(({ path }) => path[0] ?? ""),
  ];
  const unknown = Object.keys(flags).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UsageError(`${flagOf(unknown)}: no such setting${nearest(flagOf(unknown), known.map(flagOf))}`);
}

/** `httpPort` to `--http-port`. */
function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
