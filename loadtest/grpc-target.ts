import { type Http2Connection, openHttp2Connection } from "./http2-connection.ts";
import { protobufField } from "./protobuf-field.ts";
import { type Answer, noAnswer, type Target } from "./target.ts";

/** `RankResponse.degraded` of ranking.proto. */
const degradedField = 6;
const okStatus = "0";
/** Of a gRPC message: whether it is compressed, and its length. */
const messageHeadBytes = 5;

/** gRPC unary calls, which take turns on the connections, many at once on each. */
export function grpcTarget(
  address: string,
  connections: number,
  path = "/setlist.v1.RankingService/Rank",
): Target {
  const { hostname, port } = new URL(`http://${address}`);
  const all: (Http2Connection | undefined)[] = Array.from({ length: connections }, () => undefined);
  let next = 0;

  function connection(): Http2Connection {
    const place = next++ % connections;
    const open = all[place];
    if (open?.isOpen === true) return open;
    const opened = openHttp2Connection(hostname, Number(port), path);
    all[place] = opened;
    return opened;
  }

  return {
    name: `gRPC ${address}`,
    async send(request): Promise<Answer> {
      try {
        const { status, message } = await connection().call(request);
        const body = message.subarray(messageHeadBytes);
        const ok = status === okStatus;
        const degraded = ok && protobufField(body, degradedField) !== undefined;
        return { ok, code: `gRPC ${status}`, degraded, body };
      } catch (error) {
        return noAnswer((error as { code?: string }).code ?? (error as Error).message);
      }
    },
    close() {
      for (const open of all) open?.close();
    },
  };
}

/** A gRPC message as it goes over the wire: not compressed, its length, its bytes. */
export function grpcFrame(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(messageHeadBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, messageHeadBytes);
  return frame;
}
