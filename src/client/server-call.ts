import { SetlistError } from "../domain/error.ts";
import { noServerAt } from "../domain/no-server.ts";

/** Loading a model takes well under a second on most machines; a large one on a GPU may take its time. */
const answerMsMax = 120_000;

/**
 * One question to a running server, in JSON.
 * @throws {SetlistError} with the server's own code and sentence where it refuses, UNAVAILABLE where none answers.
 */
export async function callServer(
  url: string,
  method: "GET" | "POST" | "PUT",
  path: string,
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
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  const { code, detail } = (answer ?? {}) as { code?: SetlistError["code"]; detail?: string };
  throw new SetlistError(code ?? "UNAVAILABLE", detail ?? `${url} answers ${response.status}`);
}
