import { closeSync, openSync, readSync } from "node:fs";
import {
  type Document,
  isAlias,
  isCollection,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  stringify,
  visit,
} from "yaml";
import { invalidArgument, messageOf, SetlistError } from "../domain/error.ts";
import { unreadableReason } from "../domain/unreadable.ts";

/** A YAML file that was read: its value, and its own way to say where a field stands. */
export interface YamlFile {
  readonly value: unknown;
  /** Runs a check of the value; what it refuses with is told with the file and, where the file has it, the line. */
  refine<T>(check: () => T): T;
}

/** Bounds the work of a parser that expands aliases and keeps up to a KB for each bracket: 1 MiB of them takes 1.1 GB. */
const fileBytesMax = 1_048_576;

/**
 * @throws {SetlistError} NOT_FOUND where there is no such file; INVALID_ARGUMENT with file and line where it is no
 *   YAML or has a key twice.
 */
export function readYamlFile(file: string): YamlFile {
  const text = readText(file);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    // Its own look compares each key with all before it: 90,000 take it most of a minute.
    uniqueKeys: false,
    prettyErrors: false,
    // Its warnings would go to standard error in words of its own.
    logLevel: "error",
  });
  const [error] = document.errors;
  if (error !== undefined) {
    if (error.code === "MULTIPLE_DOCS") {
      const { line } = lines.linePos(error.pos[0]);
      throw invalidArgument(
        `${file}:${line}: a second YAML document begins: expected one, so remove its ---`,
      );
    }
    const reason = error.code === "RESOURCE_EXHAUSTION" ? "it is nested too deeply" : error.message;
    throw invalidArgument(`${file}:${lines.linePos(error.pos[0]).line}: not valid YAML: ${reason}`);
  }
  checkKeys(document, file, lines);
  return {
    value: toValue(document, file),
    refine(check) {
      try {
        return check();
      } catch (error) {
        if (!(error instanceof SetlistError)) throw error;
        const offset = offsetOf(document, pathIn(error.message));
        const place = offset === undefined ? file : `${file}:${lines.linePos(offset).line}`;
        throw new SetlistError(error.code, `${place}: ${error.message}`, { cause: error });
      }
    },
  };
}

/** A value as people write it in a configuration file. */
export function yamlText(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 110 });
}

/**
 * A key that is a list or a map would be made a text, and each one within it a longer one: 400 of them take for ever. Of
 * a key that is there twice one value would go unseen.
 */
function checkKeys(document: Document, file: string, lines: LineCounter): void {
  const refuse = ({ range }: Node, what: string): never => {
    throw invalidArgument(`${file}:${lines.linePos(range?.[0] ?? 0).line}: ${what}`);
  };
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (isCollection(key) || isAlias(key)) refuse(key, "expected a text for a key");
        if (!isScalar(key)) continue;
        if (seen.has(String(key.value))) refuse(key, "not valid YAML: Map keys must be unique");
        seen.add(String(key.value));
      }
    },
  });
}

function readText(file: string): string {
  try {
    const bytes = readUpTo(file, fileBytesMax + 1);
    if (bytes.length <= fileBytesMax) return bytes.toString("utf8");
  } catch (error) {
    const reason = unreadableReason(error);
    throw new SetlistError("NOT_FOUND", `${file}: cannot be read: ${reason}`, { cause: error });
  }
  throw invalidArgument(`${file}: expected at most ${fileBytesMax} bytes`);
}

/** A device never ends, and a pipe says no size. */
function readUpTo(file: string, bytesMax: number): Buffer {
  const from = openSync(file, "r");
  try {
    const bytes = Buffer.allocUnsafe(bytesMax);
    let used = 0;
    for (let read = -1; read !== 0; used += read) read = readSync(from, bytes, used, bytesMax - used, null);
    return bytes.subarray(0, used);
  } finally {
    closeSync(from);
  }
}

function toValue(document: Document, file: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    // Aliases that expand without end are only found here.
    throw invalidArgument(`${file}: not usable YAML: ${messageOf(error)}`);
  }
}

/** The field that a message begins with: `arms[1].model.name: …` to its path. */
function pathIn(message: string): (string | number)[] {
  const field = /^([^\s:]+): /.exec(message)?.[1] ?? "";
  return field
    .split(/[.[\]]+/)
    .filter((part) => part !== "")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** Where the field stands, or the nearest thing around it that the file has. */
function offsetOf(document: Document, path: readonly (string | number)[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return undefined;
}
