import { SetlistError } from "../../src/domain/error.ts";
import type { Mutator } from "./mutator.ts";

/** One thing that reads what others have written, and valid examples of that. */
export interface Target {
  readonly name: string;
  /** Its part of all inputs, beside the others'. */
  readonly share: number;
  /** In the order in which they are numbered; never empty. */
  readonly corpus: readonly Buffer[];
  /** Words that its input is made of. */
  readonly tokens: readonly string[];
  mutate(mutator: Mutator, seed: Buffer): Buffer;
  open(): Promise<OpenTarget>;
}

export interface OpenTarget {
  /** Whether the input was accepted. @throws whatever is thrown is a finding. */
  take(input: Buffer): Promise<boolean> | boolean;
  close(): Promise<void>;
}

/** What no reader outside may see: a stack, a path of ours, a library's or the language's own words. */
const inside =
  /\bat [\w.<>]+ \(|\.ts:\d|node_modules|\/src\/|file:\/\/|SQLITE|sqlite|TypeError|RangeError|ReferenceError|is not a function|Cannot read prop|is not iterable|\[object |undefined/;

/**
 * Whether `work` accepted; a refusal is a `SetlistError` of a sentence that holds nothing of the inside.
 * @param isOwnText words of the input that may stand in the sentence.
 */
export async function accepts(work: () => unknown, input = ""): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof SetlistError)) throw error;
    if (error.code === "INTERNAL" || !expectSentence(error.message, input))
      throw new Error(
        `the refusal is no sentence for its reader: ${error.code} ${JSON.stringify(error.message)}`,
        { cause: error },
      );
    return false;
  }
}

/** One line that says something, with nothing of the inside but what the input itself holds. */
export function expectSentence(text: string, input: string): boolean {
  const found = inside.exec(text)?.[0];
  return text.trim().length > 3 && (found === undefined || input.includes(found));
}
