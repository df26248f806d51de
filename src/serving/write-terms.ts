import { invalidArgument } from "../domain/error.ts";
import { type Confirmation, confirmations } from "../experiments/experiments.ts";
import { nearest } from "../schema/schema.ts";
import { checkText } from "../schema/text.ts";

/** Who writes where nobody says. */
const unnamed = "api";
const whoCharactersMax = 256;

/** @param said by whoever calls, where there is nothing that says it for certain. */
export function writerOf(said: string | undefined): string {
  if (said === undefined || said.trim() === "") return unnamed;
  checkText(said, "setlist-actor");
  if (said.length <= whoCharactersMax) return said;
  throw invalidArgument(`setlist-actor: expected at most ${whoCharactersMax} characters, got ${said.length}`);
}

/** @throws {SetlistError} INVALID_ARGUMENT with the nearest word that there is. */
export function confirmationsOf(words: readonly string[]): readonly Confirmation[] {
  return words.map((word) => {
    const known = confirmations.find((one) => one === word);
    if (known !== undefined) return known;
    throw invalidArgument(`confirm: no ${JSON.stringify(word)}${nearest(word.slice(0, 64), confirmations)}`);
  });
}
