import { SetlistError } from "./error.ts";

/** What to tell whoever called `fetch` in vain. */
export function noServerAt(url: string, error: unknown): SetlistError {
  const { cause, message } = error as Error;
  const why = (cause as { code?: string } | undefined)?.code ?? message;
  return new SetlistError(
    "UNAVAILABLE",
    `no server answers at ${url} (${why}); start one with \`npm start\`, or name another with --url`,
    { cause: error },
  );
}
