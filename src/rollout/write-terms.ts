import { invalidArgument } from "../domain/error.ts";
import { textOfHeader } from "../domain/header-text.ts";
import { type Confirmation, confirmations } from "../experiments/experiments.ts";
import { nearest } from "../schema/schema.ts";
import { checkText } from "../schema/text.ts";

/** Who writes where nobody says. */
const unnamed = "api";
const whoCharactersMax = 256;

/** @param said by whoever calls, where there is nothing that says it for certain; perhaps as `headerText` writes it. */
export function writerOf(said: string | undefined): string {
  if (said === undefined || said.trim() === "") return unnamed;
  const who = textOfHeader(said);
  checkText(who, "setlist-actor");
  if (who.length <= whoCharactersMax) return who;
  throw invalidArgument(`setlist-actor: expected at most ${whoCharactersMax} characters, got ${who.length}`);
}

/** @throws {SetlistError} INVALID_ARGUMENT with the nearest word that there is. */
export function confirmationsOf(words: readonly string[]): readonly Confirmation[] {
  return words.map((word) => {
    const known = confirmations.find((one) => one === word);
    if (known !== undefined) return known;
    throw invalidArgument(`confirm: no ${JSON.stringify(word)}${nearest(word, confirmations)}`);
  });
}
