/** The frontend's side of the HTTP API: JSON over kept-alive connections, patient where patience helps. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { SetlistError } from "../domain/error.ts";
import { noServerAt } from "../domain/no-server.ts";

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiClient {
  /** One attempt. Rejects where no whole answer came: refused, reset, timed out. */
  post(path: string, body: unknown): Promise<ApiAnswer>;
  /**
   * Tries until an answer comes that is worth having: 429, 503 and broken connections are waited out (Retry-After, or
   * twice as long each time). Only for what is harmless to send twice. Rejects once `attemptsMax` failed.
   */
  postPatiently(path: string, body: unknown): Promise<ApiAnswer>;
  /** How often something had to be sent again. */
  readonly retries: number;
  close(): void;
}

export interface ApiClientOptions {
  readonly url: string;
  /** Connections at once; more requests wait for one. */
  readonly connectionsMax: number;
  /** For one answer; far beyond any deadline of the server. */
  readonly timeoutMs?: number;
  readonly attemptsMax?: number;
  readonly backoffMs?: number;
}

const backoffMsMax = 2_000;

export function createApiClient(options: ApiClientOptions): ApiClient {
  const { timeoutMs = 10_000, attemptsMax = 10, backoffMs = 50 } = options;
  const base = new URL(options.url);
  const secure = base.protocol === "https:";
  const AgentOf = secure ? HttpsAgent : HttpAgent;
  const agent = new AgentOf({ keepAlive: true, maxSockets: options.connectionsMax });
  const send = secure ? httpsRequest : httpRequest;
  let retries = 0;

  function post(path: string, body: unknown): Promise<ApiAnswer> {
    const payload = Buffer.from(JSON.stringify(body));
    const headers = { "content-type": "application/json", "content-length": payload.length };
    return new Promise((resolve, reject) => {
      const request = send(
        new URL(path, base),
        { method: "POST", agent, headers, timeout: timeoutMs },
        (response) => readAnswer(response).then(resolve, reject),
      );
      request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      request.on("error", reject);
      request.end(payload);
    });
  }

  async function postPatiently(path: string, body: unknown): Promise<ApiAnswer> {
    for (let attempt = 1; ; attempt++) {
      let wait = Math.min(backoffMs * 2 ** (attempt - 1), backoffMsMax);
      try {
        const answer = await post(path, body);
        if (!isBusy(answer.status) || attempt >= attemptsMax) return answer;
        wait = Math.max(wait, (answer as Answered).retryAfterMs);
      } catch (error) {
        if (attempt >= attemptsMax) throw error;
      }
      retries++;
      await sleep(wait);
    }
  }

  return {
    post,
    postPatiently,
    get retries() {
      return retries;
    },
    close: () => agent.destroy(),
  };
}

/** Not now, but perhaps later. */
export function isBusy(status: number): boolean {
  return status === 429 || status === 503;
}

/**
 * Asks whether somebody serves there at all, so that a wrong address is one sentence and not a thousand errors.
 * @throws {SetlistError} UNAVAILABLE.
 */
export async function expectServer(url: string): Promise<void> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new SetlistError(
      "INVALID_ARGUMENT",
      `--url: expected an address such as http://127.0.0.1:8080, got ${url}`,
    );
  }
  const ready = new URL("/readyz", url);
  const response = await fetch(ready, { signal: AbortSignal.timeout(5_000) }).catch((error: unknown) => {
    throw noServerAt(url, error);
  });
  if (response.ok) return;
  throw new SetlistError(
    "UNAVAILABLE",
    `${ready.href} answers ${response.status}: the server is not ready to rank`,
  );
}

interface Answered extends ApiAnswer {
  readonly retryAfterMs: number;
}

async function readAnswer(response: IncomingMessage): Promise<Answered> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const retryAfterMs = 1_000 * Number(response.headers["retry-after"] ?? 0) || 0;
  return { status: response.statusCode ?? 0, body: parsed(text), retryAfterMs };
}

/** Something between the server and us may answer with other than JSON; the text then is the body. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
