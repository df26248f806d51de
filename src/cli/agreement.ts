import { createInterface } from "node:readline/promises";
import { SetlistError } from "../domain/error.ts";

/**
 * Asks whether to go on, where there is a terminal to ask at; a script that got so far means it.
 * @throws {SetlistError} ABORTED where the answer is not yes.
 */
export async function expectAgreement(question: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new SetlistError("ABORTED", "nothing was written");
}
