import { SetlistError } from "../domain/error.ts";
import { noServerAt } from "../domain/no-server.ts";

/** Loading a model takes well under a second on most machines; a large one on a GPU may take its time. */
const answerMsMax = 120_000;

/** Thousands of experiments with all their revisions; what goes on beyond that is no answer of a Setlist server. */
const answerBytesMax = 256 * 1024 * 1024;

/**
 * One question to a running server, in JSON. Whatever else may listen at the address, an answer without the field
 * `has` is none of a Setlist server.
 * @throws {SetlistError} with the server's own code and sentence where it refuses, UNAVAILABLE where none answers.
 */
export async function callServer(
  url: string,
  method: "GET" | "POST" | "PUT",
  path: string,
  has: string,
  options: { readonly body?: object | undefined; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<unknown> {
  const { body, headers } = options;
  const response = await fetch(new URL(path, url), {
    method,
    signal: AbortSignal.timeout(answerMsMax),
    headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw noServerAt(url, error);
  });
  const answer = parsed(await textOf(response));
  if (response.ok && Object.hasOwn(answer, has)) return answer;
  const { code, detail } = answer as { code?: SetlistError["code"]; detail?: unknown };
  if (!response.ok && typeof detail === "string") throw new SetlistError(code ?? "UNAVAILABLE", detail);
  throw new SetlistError(
    "UNAVAILABLE",
    `${url} answers ${response.status}, and not as a Setlist server does; name one with --url`,
  );
}

/** @returns undefined where it breaks off, takes too long or has no end. */
async function textOf(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > answerBytesMax) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string | undefined): object {
  try {
    return Object(JSON.parse(text ?? "null"));
  } catch {
    return {};
  }
}
