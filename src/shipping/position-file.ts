import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import Type, { type Static } from "typebox";
import { makeDurably, moveDurably } from "../columnar/durable-files.ts";
import { SetlistError } from "../domain/error.ts";
import type { LogPlace } from "../domain/log-reading.ts";
import { parserOf } from "../schema/schema.ts";

const whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const schema = Type.Object(
  {
    log: Type.String(),
    segment: whole,
    salt: Type.Optional(whole),
    offset: whole,
    /** Every segment up to this number is in Kafka whole; 0 where none is. */
    shippedThrough: whole,
  },
  { additionalProperties: false },
);
const parse = parserOf(schema);

const name = "position.json";

/**
 * How far a log is shipped, in `position.json` of a folder: written after the brokers have acknowledged, and still there
 * after a power cut. Retention reads `shippedThrough` of it.
 */
export class PositionFile {
  readonly #folder: string;
  readonly #log: string;

  private constructor(folder: string, log: string) {
    this.#folder = folder;
    this.#log = log;
  }

  /** @param log the log's identity: a position of another log is none. */
  static async open(folder: string, log: string): Promise<PositionFile> {
    await makeDurably(folder);
    return new PositionFile(folder, log);
  }

  /** Undefined where nothing of this log is shipped. @throws {SetlistError} as `readPosition`. */
  read(): LogPlace | undefined {
    const position = readPosition(this.#folder);
    if (position === undefined || position.log !== this.#log) return undefined;
    return { segment: position.segment, salt: position.salt, offset: position.offset };
  }

  async write({ segment, salt, offset }: LogPlace): Promise<void> {
    const position = { log: this.#log, segment, salt, offset, shippedThrough: Math.max(0, segment - 1) };
    const draft = join(this.#folder, `${name}.draft`);
    await writeFile(draft, `${JSON.stringify(position)}\n`);
    await moveDurably(draft, join(this.#folder, name));
  }
}

/**
 * The number of the last segment of which everything is in Kafka, 0 where none is: what retention may delete.
 * @throws {SetlistError} INTERNAL where the file holds something else.
 */
export function shippedThrough(folder: string, log: string): number {
  const position = readPosition(folder);
  return position?.log === log ? position.shippedThrough : 0;
}

/** What is sent whole ends before the segment that is being sent: or retention would delete what is not. */
function consistent(position: Static<typeof schema>): Static<typeof schema> {
  const { segment, shippedThrough: through } = position;
  if (through > Math.max(0, segment - 1))
    throw new Error(`shippedThrough: expected less than segment ${segment}, got ${through}`);
  return position;
}

/** Undefined where there is none. @throws {SetlistError} INTERNAL where the file holds something else. */
function readPosition(folder: string): Static<typeof schema> | undefined {
  const path = join(folder, name);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return consistent(parse(JSON.parse(text), path));
  } catch (error) {
    throw new SetlistError(
      "INTERNAL",
      `${path}: expected how far the log is shipped: ${(error as Error).message}; remove it to have the whole log shipped again`,
      { cause: error },
    );
  }
}
