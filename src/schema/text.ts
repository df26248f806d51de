import { invalidArgument } from "../domain/error.ts";

/** All but tab and line breaks: PostgreSQL takes no NUL, and a terminal obeys the others. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/**
 * What people write for each other to read, and stores and terminals have to take.
 * @throws {SetlistError} INVALID_ARGUMENT where `text` is no Unicode text or holds a control character.
 */
export function checkText(text: string, field: string): void {
  if (!text.isWellFormed()) throw invalidArgument(`${field}: expected Unicode text, got a lone surrogate`);
  const found = control.exec(text)?.[0];
  if (found === undefined) return;
  const code = found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  throw invalidArgument(`${field}: expected text without control characters, got U+${code}`);
}

/** The same for every text and every name within `value`, which a schema has accepted. */
export function checkTexts(value: unknown, field = ""): void {
  if (typeof value === "string") checkText(value, field);
  if (typeof value !== "object" || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    if (Array.isArray(value)) {
      checkTexts(part, `${field}[${name}]`);
      continue;
    }
    checkText(name, field === "" ? "body" : field);
    checkTexts(part, field === "" ? name : `${field}.${name}`);
  }
}

/** A text that somebody else wrote as an error repeats it: in quotes, never longer than a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 63)}…` : text);
}
