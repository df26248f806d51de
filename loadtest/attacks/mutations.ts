import type { Random } from "../../src/domain/clock.ts";
import { drawBelow, randomStream } from "../../src/simulation/random-stream.ts";
import { grpcFrame } from "../grpc-target.ts";
import { openHttpConnection } from "../http-connection.ts";
import { openHttp2Connection } from "../http2-connection.ts";
import { drawRankRequests, grpcRankRequests } from "../rank-requests.ts";
import { worldSize } from "../world-size.ts";
import { type Attack, atATime, leaksIn } from "./attack.ts";
import { openRaw } from "./raw-connection.ts";

const width = 8;
/** Longer than any answer takes, the server being busy: what has not come by then hangs. */
const patienceMs = 20_000;
/** Put where a mutation puts something: what parsers stumble over. */
const tokens = [
  "\0",
  "\uffff",
  "\ud83d",
  '"',
  "\\u0000",
  "{",
  "[[[[[[[[[[[[[[[[",
  "]",
  "null",
  "1e999",
  "-0",
  "9".repeat(400),
  '"__proto__":',
  "..%2f",
  "\r\n",
  "%s%n",
  "{{x}}",
].map((text) => Buffer.from(text));

/** 1 to 4 changes: a bit, a byte, something put in, taken out, doubled, or the rest cut off. */
function mutate(random: Random, bytes: Buffer): Buffer {
  let out = Buffer.from(bytes);
  for (let changes = 1 + drawBelow(random, 4); changes > 0; changes--) {
    const at = drawBelow(random, out.length + 1);
    const span = at + 1 + drawBelow(random, 8);
    switch (drawBelow(random, 6)) {
      case 0:
        if (at < out.length) out[at] = (out[at] as number) ^ (1 << drawBelow(random, 8));
        break;
      case 1:
        if (at < out.length) out[at] = drawBelow(random, 256);
        break;
      case 2:
        out = Buffer.concat([
          out.subarray(0, at),
          tokens[drawBelow(random, tokens.length)] as Buffer,
          out.subarray(at),
        ]);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at), out.subarray(span)]);
        break;
      case 4:
        out = Buffer.concat([out.subarray(0, span), out.subarray(at)]);
        break;
      default:
        if (drawBelow(random, 4) === 0) out = out.subarray(0, at);
    }
  }
  return out;
}

const outcome = { outcomeId: "o1", requestId: "r1", itemId: "t1", type: "click", value: 1 };
const attributes = { user: { attributes: { country: "DE" } }, context: { attributes: { device: "ios" } } };

/** What the mutations begin with: each door's valid requests; nothing that would change experiments or models. */
function httpSeeds(): { readonly head: string; readonly body: Buffer }[] {
  const shape = { ...worldSize(), seed: 1, surface: "home", candidates: 20, limit: 5 };
  const [rank] = drawRankRequests(shape, 1);
  const posts: [path: string, body: object][] = [
    ["/v1/rank", rank as object],
    [
      "/v1/rank",
      {
        surface: "radio",
        requestId: "r1",
        user: { id: "u1", attributes: { country: "DE" }, features: { age: 30 } },
        candidates: [{ id: "t1", features: { plays: 1 } }, { id: "t2" }],
        explain: true,
        timeoutMs: 50,
      },
    ],
    ["/v1/outcomes", { outcomes: [outcome, { ...outcome, outcomeId: "o2" }] }],
    ["/v1/assignments", { unit: "u1", ...attributes }],
    ["/ofrep/v1/evaluate/flags", { context: { targetingKey: "u1", country: "DE" } }],
    ["/ofrep/v1/evaluate/flags/home-kd", { context: { targetingKey: "u1" } }],
  ];
  const gets = [
    "/v1/experiments",
    "/v1/experiments/home-kd",
    "/v1/models",
    "/v1/surfaces",
    "/livez",
    "/readyz",
  ];
  return [
    ...posts.map(([path, body]) => ({
      head: `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`,
      body: Buffer.from(JSON.stringify(body)),
    })),
    ...gets.map((path) => ({ head: `GET ${path} HTTP/1.1\r\nHost: x\r\n`, body: Buffer.alloc(0) })),
  ];
}

function answerIn<Answer>(answer: Promise<Answer>): Promise<Answer | "late"> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve("late"), patienceMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Nine of ten have a body or a path that is wrong, on a connection that is kept; the tenth has its head changed. */
const http: Attack = {
  name: "HTTP requests, mutated",
  async run({ httpPort }, { seed, httpInputs }) {
    const findings: string[] = [];
    const statuses = new Map<number, number>();
    const seeds = httpSeeds();
    const kept = Array.from({ length: width }, () => openHttpConnection("127.0.0.1", httpPort));
    await atATime(httpInputs, width, async (place) => {
      const random = randomStream(seed, "http", place);
      const { head, body } = seeds[drawBelow(random, seeds.length)] as (typeof seeds)[number];
      if (body.length === 0 || place % 10 === 0) {
        const whole = Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`), body]);
        const bytes = mutate(random, whole.subarray(0, head.length + 20));
        const raw = await openRaw(httpPort);
        raw.write(Buffer.concat([bytes, body]));
        await raw.endsWithin(2);
        findings.push(...judged(raw.received(), 0, place));
        raw.reset();
        return;
      }
      const connection = kept.pop() as (typeof kept)[number];
      try {
        const mutated = mutate(random, body);
        const request = Buffer.concat([
          Buffer.from(`${head}Content-Length: ${mutated.length}\r\n\r\n`),
          mutated,
        ]);
        const answer = await answerIn(connection.send(request));
        if (answer === "late") findings.push(`input ${place} was not answered`);
        else {
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          findings.push(...judged(answer.body.toString(), answer.status, place));
        }
      } catch (error) {
        findings.push(`input ${place}: ${(error as Error).message}`);
      } finally {
        kept.push(connection);
      }
    });
    for (const connection of kept) connection.close();
    return { sent: `${httpInputs} inputs: ${counted(statuses)}`, findings };
  },
};

function judged(answer: string, status: number, place: number): readonly string[] {
  const isFault = status >= 500 || /^HTTP\/1.1 5/.test(answer);
  return [...leaksIn(answer), ...(isFault ? [`input ${place}: ${status} ${answer.slice(0, 120)}`] : [])];
}

function counted(counts: ReadonlyMap<string | number, number>): string {
  return [...counts].map(([code, count]) => `${count} x ${code}`).join(", ");
}

const text = (field: number, value: string): Buffer =>
  Buffer.concat([Buffer.of(8 * field + 2, value.length), Buffer.from(value)]);

/** Statuses that are the caller's fault or nobody's; INTERNAL (13) and UNKNOWN (2) would be a defect. */
const expected = new Set(["0", "3", "5", "8", "4", "9", "10"]);

const grpc: Attack = {
  name: "gRPC messages, mutated",
  async run({ grpcPort }, { seed, grpcInputs }) {
    const findings: string[] = [];
    const statuses = new Map<string, number>();
    const shape = { ...worldSize(), seed: 1, surface: "home", candidates: 20, limit: 5 };
    const [rank] = grpcRankRequests(drawRankRequests(shape, 1)) as [Buffer];
    const one = Buffer.concat([text(1, "o1"), text(2, "r1"), text(3, "t1"), text(4, "click")]);
    const seeds: [path: string, message: Buffer][] = [
      ["RankingService/Rank", rank.subarray(5)],
      ["OutcomeService/Record", Buffer.concat([Buffer.of(10, one.length), one])],
      ["ExperimentService/Assign", text(1, "u1")],
      ["ExperimentService/Get", text(1, "home-kd")],
    ];
    const connections = seeds.map(([path]) =>
      openHttp2Connection("127.0.0.1", grpcPort, `/setlist.v1.${path}`),
    );
    await atATime(grpcInputs, width, async (place) => {
      const random = randomStream(seed, "grpc", place);
      const which = place % seeds.length;
      const message = grpcFrame(mutate(random, seeds[which]?.[1] as Buffer));
      try {
        const end = await answerIn((connections[which] as (typeof connections)[number]).call(message));
        if (end === "late") findings.push(`message ${place} was not answered`);
        else {
          statuses.set(end.status, (statuses.get(end.status) ?? 0) + 1);
          if (!expected.has(end.status)) findings.push(`message ${place}: status ${end.status}`);
        }
      } catch (error) {
        findings.push(`message ${place}: ${(error as Error).message}`);
      }
    });
    for (const connection of connections) connection.close();
    return { sent: `${grpcInputs} messages: ${counted(statuses)}`, findings };
  },
};

export const mutations: readonly Attack[] = [http, grpc];
