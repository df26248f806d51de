import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { grpcFrame } from "../grpc-target.ts";
import { drawRankRequests, grpcRankRequests, grpcStreamRankRequests } from "../rank-requests.ts";
import { worldSize } from "../world-size.ts";
import { type Attack, leaksIn } from "./attack.ts";

const rankPath = "/setlist.v1.RankingService/Rank";
const streamPath = "/setlist.v1.RankingService/RankStream";
const reflectionPath = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const headersOf = (path: string) => ({
  ":method": "POST",
  ":path": path,
  "content-type": "application/grpc",
  te: "trailers",
});

function openSession(port: number, initialWindowSize = 65_535): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize } });
  session.on("error", () => undefined);
  return session;
}

function openCall(
  session: ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string | string[]>> = {},
): ClientHttp2Stream {
  const stream = session.request({ ...headersOf(path), ...headers }, { endStream: false });
  stream.on("error", () => undefined);
  return stream;
}

/** How a call ended: its status and message, or why there are none. */
function endOf(stream: ClientHttp2Stream, patienceMs: number): Promise<string> {
  return new Promise((resolve) => {
    let status = "";
    const read = (headers: object): void => {
      const { "grpc-status": code, "grpc-message": detail } = headers as Record<string, string>;
      if (code !== undefined) status = `${code} ${detail ?? ""}`;
    };
    stream.on("response", read);
    stream.on("trailers", read);
    stream.resume();
    stream.once("close", () => resolve(status === "" ? `reset ${stream.rstCode}` : status));
    setTimeout(() => {
      resolve("kept");
      stream.close(8);
    }, patienceMs);
  });
}

const framed = (compressed: number, announced: number, bytes: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(announced, 1);
  return Buffer.concat([head, bytes]);
};

/** 1,500 members of 1 MB of zeros each, one after the other, as gzip allows: 1.5 MB that become 1.5 GB. */
const member = gzipSync(Buffer.alloc(1_000_000), { level: 9 });
const bomb = Buffer.concat(Array.from({ length: 1_500 }, () => member));

/** What is wrong with a call; its client sends that and ends. */
const wrongCalls: readonly [
  name: string,
  path: string,
  headers: Readonly<Record<string, string | string[]>>,
  body: Buffer,
][] = [
  ["4 GB announced", rankPath, {}, framed(0, 0xff_ff_ff_ff, Buffer.alloc(10))],
  ["a message cut short", rankPath, {}, framed(0, 100, Buffer.alloc(10))],
  ["no message", rankPath, {}, Buffer.alloc(0)],
  ["two messages", rankPath, {}, Buffer.alloc(10)],
  ["compressed, in no encoding", rankPath, {}, framed(1, 10, Buffer.alloc(10))],
  ["an unknown encoding", rankPath, { "grpc-encoding": "lzma" }, framed(1, 10, Buffer.alloc(10))],
  ["gzip that is none", rankPath, { "grpc-encoding": "gzip" }, framed(1, 10, Buffer.alloc(10))],
  ["gzip that becomes 1.5 GB", rankPath, { "grpc-encoding": "gzip" }, framed(1, bomb.length, bomb)],
  ["an unknown method", "/setlist.v1.RankingService/%2e%2e", {}, grpcFrame(Buffer.alloc(0))],
  ["no method", "/", {}, grpcFrame(Buffer.alloc(0))],
  ["another content type", rankPath, { "content-type": "text/html" }, Buffer.alloc(0)],
  ["metadata of 60 kB", rankPath, { x: "y".repeat(60_000) }, grpcFrame(Buffer.alloc(0))],
  ["metadata of 1 MB", rankPath, { x: "y".repeat(1_000_000) }, grpcFrame(Buffer.alloc(0))],
  [
    "a thousand headers",
    rankPath,
    { x: Array.from({ length: 1_000 }, () => "y") },
    grpcFrame(Buffer.alloc(0)),
  ],
  ["binary metadata that is none", rankPath, { "x-bin": "%%%" }, grpcFrame(Buffer.alloc(0))],
  ["a deadline of 1 ns", rankPath, { "grpc-timeout": "1n" }, grpcFrame(Buffer.alloc(0))],
  ["a deadline of 11,000 years", rankPath, { "grpc-timeout": "99999999H" }, grpcFrame(Buffer.alloc(0))],
  ["a deadline that is none", rankPath, { "grpc-timeout": "soon" }, grpcFrame(Buffer.alloc(0))],
  ["a negative deadline", rankPath, { "grpc-timeout": "-1S" }, grpcFrame(Buffer.alloc(0))],
];

const wrong: Attack = {
  name: "gRPC: calls that are wrong",
  async run({ grpcPort }) {
    const findings: string[] = [];
    const times = 5;
    for (const [name, path, headers, body] of wrongCalls) {
      for (let i = 0; i < times; i++) {
        const session = openSession(grpcPort);
        const stream = openCall(session, path, headers);
        stream.end(body);
        const end = await endOf(stream, 15_000);
        session.destroy();
        findings.push(...leaksIn(end));
        if (end === "kept") findings.push(`${name}: kept for 15 s`);
        if (end.startsWith("0 ")) findings.push(`${name}: answered`);
      }
    }
    return { sent: `${wrongCalls.length} x ${times} calls`, findings };
  },
};

const unfinished: Attack = {
  name: "gRPC: messages that do not become whole",
  async run({ grpcPort }) {
    const session = openSession(grpcPort);
    const part = framed(0, 2_000_000, Buffer.alloc(1_900_000));
    const count = 200;
    const ends = await Promise.all(
      Array.from({ length: count }, () => {
        const stream = openCall(session, rankPath);
        stream.write(part);
        return endOf(stream, 30_000);
      }),
    );
    session.destroy();
    const kept = ends.filter((end) => end === "kept").length;
    return { sent: `${count} x 1.9 MB`, findings: kept > 0 ? [`${kept} were kept`] : [] };
  },
};

/** Answers that a client asks for and leaves no room to send; it answers pings all the while. */
const unread: Attack = {
  name: "gRPC: answers that are not read",
  async run({ grpcPort }, { holdSeconds }) {
    const shape = { ...worldSize(), seed: 1, surface: "home", candidates: 1_000, limit: undefined };
    const bodies = drawRankRequests(shape, 50);
    const [ranks, streamed] = [grpcRankRequests(bodies), grpcStreamRankRequests(bodies)];
    const sessions = Array.from({ length: 4 }, () => openSession(grpcPort, 0));
    const listServices = grpcFrame(Buffer.from([0x3a, 1, 0x2a]));
    const calls: ClientHttp2Stream[] = [];
    for (const session of sessions) {
      for (let i = 0; i < 250; i++) {
        const call = openCall(session, rankPath);
        call.end(ranks[i % ranks.length]);
        calls.push(call);
        // So many at once would be overload, where others are refused too.
        await delay(5);
      }
      const stream = openCall(session, streamPath);
      for (const message of streamed) {
        stream.write(message);
        await delay(5);
      }
      const reflection = openCall(session, reflectionPath);
      for (let i = 0; i < 100; i++) {
        reflection.write(Buffer.concat(Array.from({ length: 1_000 }, () => listServices)));
      }
      calls.push(stream, reflection);
      await delay(500);
    }
    await delay(holdSeconds * 1_000);
    const kept = calls.filter((call) => !call.closed).length;
    for (const session of sessions) session.destroy();
    const promised = holdSeconds >= 65;
    return {
      sent: `${calls.length} calls`,
      findings: promised && kept > 0 ? [`${kept} were kept`] : [],
    };
  },
};

export const grpcCalls: readonly Attack[] = [wrong, unfinished, unread];
