import { distance } from "fastest-levenshtein";
import { invalidArgument } from "../domain/error.ts";
import { configFileSchema } from "./config-file.ts";

/** One setting as a flag or a variable names it: `httpPort`, `log.syncIntervalMs`. */
export interface Setting {
  /** Its place in the configuration file. */
  readonly path: readonly string[];
  readonly variable: string;
  readonly kind: "text" | "number" | "fraction" | "list" | "boolean";
}

/** What a setting's text means, by its kind. */
export type SettingValue = string | number | boolean | readonly string[];

/** Every setting that a text can hold; what is named by surface or model is for the file. */
export const settings: readonly Setting[] = settingsOf(configFileSchema as unknown as SchemaNode, []);

const configVariable = "SETLIST_CONFIG";
/** A secret, and so no setting: it can stand in no file and in no flag. */
export const userIdKeyVariable = "SETLIST_LOG_USER_ID_KEY";

interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: unknown;
}

function settingsOf(node: SchemaNode, path: readonly string[]): Setting[] {
  if (node.patternProperties !== undefined) return [];
  if (node.properties !== undefined) {
    return Object.entries(node.properties).flatMap(([name, inner]) => settingsOf(inner, [...path, name]));
  }
  const variable = `SETLIST_${path.map(upperSnake).join("_")}`;
  return [{ path, variable, kind: kindOf(node) }];
}

function kindOf({ type }: SchemaNode): Setting["kind"] {
  if (type === "array") return "list";
  if (type === "boolean") return "boolean";
  if (type === "number") return "fraction";
  return type === "integer" ? "number" : "text";
}

/** `httpPort` to `HTTP_PORT`. */
function upperSnake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/**
 * A setting's value from its text; a list's elements stand between commas.
 * @throws {SetlistError} INVALID_ARGUMENT naming `source` where a number, or true or false, was expected.
 */
export function readSetting(setting: Setting, text: string | number, source: string): SettingValue {
  if (setting.kind === "list")
    return String(text)
      .split(",")
      .map((element) => element.trim());
  if (setting.kind === "text") return String(text);
  if (setting.kind === "boolean") {
    const truth = { true: true, false: false }[String(text).trim().toLowerCase()];
    if (truth === undefined)
      throw invalidArgument(`${source}: expected true or false, got ${JSON.stringify(text)}`);
    return truth;
  }
  const value = typeof text === "number" ? text : Number(text);
  if (setting.kind === "fraction") {
    if (/^\d{1,16}(\.\d{1,16})?$/.test(String(text).trim())) return value;
    throw invalidArgument(`${source}: expected a number such as 0.01, got ${JSON.stringify(text)}`);
  }
  if (typeof text === "string" && !/^\d{1,16}$/.test(text.trim())) {
    throw invalidArgument(`${source}: expected a whole number, got ${JSON.stringify(text)}`);
  }
  return value;
}

/** What Kubernetes gives to every pod beside a service called setlist: SETLIST_PORT, SETLIST_SERVICE_HOST, … */
const orchestrated = /^SETLIST_(PORT|SERVICE)(_|$)/;

/** Variables that nearly name a setting. They are told, not refused: the environment belongs to others too. */
export function suspectVariables(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = [configVariable, userIdKeyVariable, ...settings.map(({ variable }) => variable)];
  return Object.keys(env)
    .filter((name) => name.startsWith("SETLIST_") && !known.includes(name) && !orchestrated.test(name))
    .flatMap((name) => {
      const near = known.find((one) => distance(one, name) <= 2);
      return near === undefined ? [] : [`${name}: no such setting, ignored (did you mean ${near}?)`];
    });
}
