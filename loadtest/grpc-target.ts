import { type ClientHttp2Session, connect, constants } from "node:http2";
import { protobufField } from "./protobuf-field.ts";
import { type Answer, noAnswer, type Target } from "./target.ts";

/** `RankResponse.degraded` of ranking.proto. */
const degradedField = 6;
const okStatus = "0";

/**
 * gRPC unary calls over bare HTTP/2: grpc-js as a client takes more CPU than the server that it would measure. Calls
 * take turns on the connections, many at once on each.
 */
export function grpcTarget(
  address: string,
  connections: number,
  path = "/setlist.v1.RankingService/Rank",
): Target {
  const sessions: (ClientHttp2Session | undefined)[] = Array.from({ length: connections }, () => undefined);
  const headers = {
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  };
  let next = 0;

  function session(): ClientHttp2Session {
    const place = next++ % connections;
    const open = sessions[place];
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const opened = connect(`http://${address}`);
    // The calls inside learn of it themselves; without a listener the process would end.
    opened.on("error", () => {});
    sessions[place] = opened;
    return opened;
  }

  return {
    name: `gRPC ${address}`,
    send(request) {
      return new Promise<Answer>((resolve) => {
        const stream = session().request(headers);
        const chunks: Buffer[] = [];
        let status: string | undefined;
        const readStatus = (from: Record<string, unknown>): void => {
          if (from["grpc-status"] !== undefined) status = String(from["grpc-status"]);
        };
        // A refusal without a message puts its status into the first headers.
        stream.on("response", readStatus);
        stream.on("trailers", readStatus);
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("error", (error) => resolve(noAnswer((error as { code?: string }).code ?? error.message)));
        stream.on("close", () => {
          if (status === undefined) return resolve(noAnswer("stream closed"));
          const body = (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).subarray(5);
          const ok = status === okStatus;
          resolve({
            ok,
            code: `gRPC ${status}`,
            degraded: ok && protobufField(body, degradedField) !== undefined,
            body,
          });
        });
        stream.end(request);
      });
    },
    close() {
      for (const open of sessions) open?.destroy(undefined, constants.NGHTTP2_NO_ERROR);
    },
  };
}

/** A gRPC message as it goes over the wire: not compressed, its length, its bytes. */
export function grpcFrame(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
