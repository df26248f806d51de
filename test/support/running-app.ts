import { createApp } from "../../src/app.ts";
import { loadConfig, type SetlistConfig } from "../../src/config.ts";
import { type HttpAnswer, httpCall } from "./doors.ts";

export interface RunningApp {
  readonly http: string;
  readonly grpc: string;
  readonly dataDir: string;
  readonly config: SetlistConfig;
  post(path: string, body: unknown): Promise<{ status: number; headers: Headers; body: unknown }>;
  get(path: string): Promise<{ status: number; headers: Headers; body: unknown }>;
  /** Asks the control API as `ada`, of the revision where one is said. */
  send(method: string, path: string, body?: object, revision?: number): Promise<HttpAnswer>;
  /** Stops the server and leaves the data directory. */
  stop(): Promise<void>;
}

/** Refuses nobody, and answers nobody without a model, because the machine is busy with other tests. */
export function patient({
  admission,
  inference,
  surfaces,
}: SetlistConfig): Pick<SetlistConfig, "admission" | "inference" | "surfaces"> {
  const queueWaits = { queueWaitMaxMs: 60_000, standingQueueWaitMaxMs: 60_000 };
  return {
    admission: { ...admission, answerMsTarget: 60_000 },
    inference: { ...inference, ...queueWaits },
    surfaces: new Map([...surfaces].map(([name, surface]) => [name, { ...surface, timeoutMs: 10_000 }])),
  };
}

/** The whole server as `npm start` makes it, on free ports, over the committed models and configuration. */
export async function startApp(dataDir: string, change: Partial<SetlistConfig> = {}): Promise<RunningApp> {
  const flags = { httpPort: 0, grpcPort: 0, dataDir, logLevel: "fatal" };
  const loaded = loadConfig({ flags, env: {}, cwd: process.cwd() });
  const config = { ...loaded, ...patient(loaded), drainDelayMs: 0, ...change };
  const app = await createApp(config);
  const { httpPort, grpcPort } = await app.listen();
  const http = `http://127.0.0.1:${httpPort}`;
  const call = async (path: string, init?: RequestInit) => {
    const response = await fetch(http + path, init);
    const text = await response.text();
    const json = response.headers.get("content-type")?.includes("json") === true;
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  };
  return {
    http,
    grpc: `127.0.0.1:${grpcPort}`,
    dataDir,
    config,
    get: (path) => call(path),
    post: (path, body) =>
      call(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    send: (method, path, body, revision) =>
      httpCall(http + path, {
        method,
        headers: {
          "setlist-actor": "ada",
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(revision !== undefined && { "if-match": String(revision) }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    stop: () => app.close(),
  };
}
