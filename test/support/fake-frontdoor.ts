import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as the fake server got it. */
export interface Received {
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly at: number;
}

export type Reply = {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
};

export interface FakeFrontdoor {
  readonly url: string;
  readonly received: readonly Received[];
  close(): Promise<void>;
}

/** An HTTP server that answers what `reply` says; `undefined` breaks the connection. `GET /readyz` is always fine. */
export async function openFakeFrontdoor(
  reply: (request: Received) => Reply | undefined | Promise<Reply | undefined>,
): Promise<FakeFrontdoor> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    if (request.url === "/readyz") return send(response, { status: 200, body: {} });
    const one = { path: request.url ?? "", body: await json(request), at: performance.now() };
    received.push(one);
    const answer = await reply(one);
    if (answer === undefined) request.socket.destroy();
    else send(response, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, { status, headers = {}, body = {} }: Reply): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(text) }).end(text);
}

async function json(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}") as Record<string, unknown>;
}
