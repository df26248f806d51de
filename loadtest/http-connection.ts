import { connect, type Socket } from "node:net";

/** One whole HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * One kept-alive HTTP/1.1 connection that carries one request at a time, over a bare socket: node:http's client costs
 * several times the CPU, which on a small machine is taken from the server under test. It reads what our servers
 * write: a status line, `content-length`, a body.
 */
export interface HttpConnection {
  /** @param request head and body as they go over the wire. Rejects where no whole answer came. */
  send(request: Buffer): Promise<HttpAnswer>;
  close(): void;
}

const headEnd = Buffer.from("\r\n\r\n");

export function openHttpConnection(host: string, port: number): HttpConnection {
  let socket: Socket | undefined;
  let received: Buffer = Buffer.alloc(0);
  let waiting: { resolve: (answer: HttpAnswer) => void; reject: (error: Error) => void } | undefined;

  /** Opened at the first request and again after the server has closed it. */
  function connected(): Socket {
    if (socket !== undefined) return socket;
    const opened = connect({ host, port, noDelay: true });
    opened.on("data", onData);
    opened.on("error", (error) => broken(opened, error));
    opened.on("close", () => broken(opened, new Error("connection closed")));
    socket = opened;
    received = Buffer.alloc(0);
    return opened;
  }

  function broken(which: Socket, error: Error): void {
    if (socket !== which) return;
    socket = undefined;
    which.destroy();
    const failed = waiting;
    waiting = undefined;
    failed?.reject(error);
  }

  function onData(chunk: Buffer): void {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = parseAnswer(received);
    if (answer === undefined) return;
    received = Buffer.alloc(0);
    const done = waiting;
    waiting = undefined;
    if (answer.closes) {
      socket?.destroy();
      socket = undefined;
    }
    done?.resolve(answer);
  }

  return {
    send(request) {
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        connected().write(request);
      });
    },
    close() {
      socket?.destroy();
      socket = undefined;
    },
  };
}

/** Undefined while the answer is not whole yet. */
export function parseAnswer(bytes: Buffer): (HttpAnswer & { readonly closes: boolean }) | undefined {
  const head = bytes.indexOf(headEnd);
  if (head < 0) return undefined;
  const lines = bytes.toString("latin1", 0, head);
  const length = /\r\ncontent-length: *(\d+)/i.exec(lines)?.[1];
  // Never what Setlist sends for an answer with a body; guessing where it ends would corrupt every answer after it.
  if (length === undefined) throw new Error(`expected an answer with content-length, got:\n${lines}`);
  const end = head + headEnd.length + Number(length);
  if (bytes.length < end) return undefined;
  return {
    status: Number(lines.slice(9, 12)),
    body: bytes.subarray(head + headEnd.length, end),
    closes: /\r\nconnection: *close/i.test(lines),
  };
}

/** A POST of JSON as it goes over the wire. */
export function postRequest(host: string, path: string, body: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(body));
  const head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), json]);
}
