/** Clients that keep what they were given: each must cost little, and not for long. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { settingsFrame } from "../../loadtest/http2-frames.ts";
import { connectionsMax } from "../../src/serving/connections-max.ts";
import { openDoors } from "../support/doors.ts";

const http2Preface = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settingsFrame([])]);

interface Peer {
  readonly socket: Socket;
  received(): string;
  /** Resolves once the server has ended the connection. */
  readonly ended: Promise<void>;
}

async function open(port: number): Promise<Peer> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise((resolve) => socket.once("connect", resolve));
  return { socket, received: () => received, ended };
}

async function doorsWith(change: Parameters<typeof openDoors>[0]) {
  const doors = await openDoors({ closeGraceMs: 50, ...change });
  onTestFinished(() => doors.close());
  return {
    ...doors,
    httpPort: Number(new URL(doors.http).port),
    grpcPort: Number(doors.grpcAddress.split(":")[1]),
  };
}

/** A client that lets the server send nothing but headers. */
function unreading(address: string): ClientHttp2Session {
  const session = connectHttp2(`http://${address}`, { settings: { initialWindowSize: 0 } });
  session.on("error", () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

function call(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
  const stream = session.request(headers, { endStream: false });
  stream.on("error", () => undefined);
  return stream;
}

function closing(stream: ClientHttp2Stream): Promise<number | undefined> {
  return new Promise((resolve) => stream.once("close", () => resolve(stream.rstCode)));
}

const listServices = Buffer.from([0, 0, 0, 0, 3, 0x3a, 1, 0x2a]);
const reflectionPath = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const cancel = 8;

describe("over HTTP", () => {
  test("who sends a thousand requests ahead gets the first answers, a refusal, and the end", async () => {
    const { httpPort } = await doorsWith({});
    const peer = await open(httpPort);
    peer.socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000));
    await peer.ended;
    const statuses = [...peer.received().matchAll(/HTTP\/1.1 (\d+) /g)].map(([, status]) => status);
    expect(statuses).toEqual([...Array.from({ length: 32 }, () => "200"), "429"]);
    expect(peer.received()).toContain("at most 32 of a connection may wait for their answers");
  });

  test("who sends one after the other on a connection is not refused", async () => {
    const { httpPort } = await doorsWith({});
    const peer = await open(httpPort);
    for (let sent = 1; sent <= 100; sent++) {
      peer.socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
      await expect.poll(() => peer.received().split("HTTP/1.1 200 ").length - 1, { interval: 1 }).toBe(sent);
    }
  });

  test("who does not read an answer is cut off", async () => {
    const { httpPort } = await doorsWith({ connectionRules: { unreadMsMax: 200 } });
    const peer = await open(httpPort);
    peer.socket.pause();
    peer.socket.write("GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(32));
    await delay(3_000);
    peer.socket.resume();
    await peer.ended;
    expect(peer.socket.bytesRead).toBeLessThan(32 * 1_000_000);
  });

  test("who reads slowly gets all, however long something waits", async () => {
    const { httpPort } = await doorsWith({ connectionRules: { unreadMsMax: 1_500 } });
    const { socket, received, ended } = await open(httpPort);
    socket.on("data", () => {
      socket.pause();
      setTimeout(() => socket.resume(), 5);
    });
    const request = "GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n";
    socket.write(`${`${request}\r\n`.repeat(31)}${request}Connection: close\r\n\r\n`);
    await ended;
    expect(received().split("HTTP/1.1 200 ").length - 1).toBe(32);
    expect(socket.bytesRead).toBeGreaterThan(32 * 1_000_000);
  });

  test("whoever holds the documentation's files keeps them from others, and no descriptors from the server", async () => {
    const { httpPort, get } = await doorsWith({});
    const holders = [await open(httpPort), await open(httpPort), await open(httpPort)];
    for (const { socket } of holders) {
      socket.pause();
      socket.write("GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(32));
    }
    await expect.poll(async () => (await get("/docs/static/index.css")).status).toBe(429);
    for (const { socket } of holders) socket.destroy();
    await expect.poll(async () => (await get("/docs/static/index.css")).status).toBe(200);
  });

  test("one connection too many is closed, the others are served", async () => {
    const { httpPort } = await doorsWith({ connectionRules: { connectionsMax: 2 } });
    const [one, , third] = [await open(httpPort), await open(httpPort), await open(httpPort)];
    await third.ended;
    one.socket.write("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await one.ended;
    expect(one.received()).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe("over gRPC", () => {
  test.each([
    ["has said nothing", Buffer.alloc(0)],
    ["has begun", http2Preface],
  ])("a peer that %s, reads nothing and does not close holds up no close", async (_name, bytes) => {
    const doors = await openDoors({ closeGraceMs: 200 });
    const { socket } = await open(Number(doors.grpcAddress.split(":")[1]));
    socket.pause();
    socket.write(bytes);
    await delay(50);
    const began = performance.now();
    await doors.close();
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("one connection too many is closed, the others are served", async () => {
    const doors = await doorsWith({ grpcRules: { connectionsMax: 2 } });
    await open(doors.grpcPort);
    await open(doors.grpcPort);
    const third = await open(doors.grpcPort);
    await third.ended;
    expect(third.received()).toBe("");
  });

  test("a connection without calls is ended after a while, though its peer does not close", async () => {
    const { grpcPort } = await doorsWith({ grpcRules: { idleMs: 100, unreadMsMax: 100 } });
    const peer = await open(grpcPort);
    peer.socket.write(http2Preface);
    await peer.ended;
  });

  test("a peer that gives no sign of life is cut off, its calls with it", async () => {
    const { grpcPort } = await doorsWith({ grpcRules: { keepaliveMs: 50, keepaliveTimeoutMs: 50 } });
    const peer = await open(grpcPort);
    peer.socket.write(http2Preface);
    await peer.ended;
    // A frame PING of 8 bytes was the question.
    expect(peer.received()).toContain("\x00\x00\x08\x06\x00");
  });

  test("a unary call whose message does not come is ended", async () => {
    const { grpcAddress } = await doorsWith({ grpcRules: { requestTimeoutMs: 100 } });
    const stream = call(unreading(grpcAddress), "/setlist.v1.RankingService/Rank");
    stream.write(Buffer.from([0, 0, 0, 1, 0, 1]));
    expect(await closing(stream)).toBe(cancel);
  });

  test("a stream may wait for its next message as long as it likes", async () => {
    const { grpcAddress } = await doorsWith({ grpcRules: { requestTimeoutMs: 100, unreadMsMax: 100 } });
    const stream = call(unreading(grpcAddress), "/setlist.v1.RankingService/RankStream");
    await delay(2_500);
    expect(stream.closed).toBe(false);
  });

  test("an answer that is not read is given up", async () => {
    const { grpcAddress } = await doorsWith({ grpcRules: { unreadMsMax: 100 } });
    const stream = call(unreading(grpcAddress), "/grpc.health.v1.Health/Check");
    stream.end(Buffer.alloc(5));
    expect(await closing(stream)).toBe(cancel);
  });

  test("who reads a stream slowly gets all of it, though as much waits at every look", async () => {
    const { grpcAddress } = await doorsWith({ grpcRules: { unreadMsMax: 1_500 } });
    const session = connectHttp2(`http://${grpcAddress}`, { settings: { initialWindowSize: 1_024 } });
    onTestFinished(() => session.destroy());
    const stream = call(session, reflectionPath);
    stream.on("data", () => {
      stream.pause();
      setTimeout(() => stream.resume(), 10);
    });
    stream.end(Buffer.concat(Array.from({ length: 400 }, () => listServices)));
    expect(await closing(stream)).toBe(0);
  });

  test("who asks on and does not read is not read from any more", async () => {
    const { grpcAddress } = await doorsWith({});
    const stream = call(unreading(grpcAddress), reflectionPath);
    stream.write(Buffer.concat(Array.from({ length: 50_000 }, () => listServices)));
    await delay(1_000);
    expect(stream.writableLength).toBeGreaterThan(0);
  });

  test.each([
    ["/setlist.v1.RankingService/RankStream", { rankStreamsMax: 16 }],
    [reflectionPath, {}],
  ])("one call too many of %s is refused, until another ends", async (path, grpcRules) => {
    const { grpcAddress } = await doorsWith({ grpcRules });
    const session = connectHttp2(`http://${grpcAddress}`);
    onTestFinished(() => session.destroy());
    const streams = Array.from({ length: 17 }, () => call(session, path));
    const statusOf = (stream: ClientHttp2Stream) =>
      new Promise((resolve) => {
        stream.on("response", (headers) => resolve(headers["grpc-status"]));
        stream.on("trailers", (trailers) => resolve(trailers["grpc-status"]));
      });
    const exhausted = "8";
    expect(await statusOf(streams[16] as ClientHttp2Stream)).toBe(exhausted);
    const first = streams[0] as ClientHttp2Stream;
    first.close(cancel);
    await closing(first);
    await delay(100);
    const next = call(session, path);
    const status = statusOf(next);
    next.resume();
    next.end();
    expect(await status).not.toBe(exhausted);
  });
});

describe("where the system grants few file descriptors", () => {
  test.each([
    [512, 128],
    [20_000, 8_192],
    [Number.POSITIVE_INFINITY, 8_192],
    [256, 16],
  ])("of %d, each port's connections have at most %d", (descriptors, most) => {
    expect(connectionsMax(descriptors)).toBe(most);
  });
});
