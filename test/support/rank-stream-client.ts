import { Client, credentials, Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { loadSync, type MethodDefinition, type ServiceDefinition } from "@grpc/proto-loader";

/** One `RankStreamResponse`, as proto-loader reads it. */
export interface StreamResponse {
  readonly sequence: number;
  readonly requestId: string;
  readonly result: "answer" | "error";
  readonly answer?: Record<string, unknown>;
  readonly error?: { code: string; detail: string; retryAfterSeconds?: number };
  readonly serverTiming: Record<string, number> | null;
}

/** A `RankStream` call of a client as anyone would make one from `proto/`. */
export interface RankStreamCall {
  readonly received: StreamResponse[];
  /** `request` is a RankRequest, or the very bytes of the whole message; resolves once it is on its way. */
  send(request: object | Buffer): Promise<void>;
  /** Resolves once so many responses have come. */
  count(responses: number): Promise<readonly StreamResponse[]>;
  halfClose(): void;
  cancel(): void;
  /** Stops reading, and goes on. */
  pause(): void;
  resume(): void;
  /** How the call ended. */
  readonly ended: Promise<{ code: string; detail: string; trailer: Metadata }>;
}

export interface RankStreamClient {
  open(options?: { deadline?: number }): RankStreamCall;
  close(): void;
}

export function rankStreamClient(address: string): RankStreamClient {
  const contract = loadSync("setlist/v1/ranking.proto", {
    includeDirs: ["proto"],
    longs: Number,
    defaults: true,
    oneofs: true,
  });
  const service = contract["setlist.v1.RankingService"] as ServiceDefinition;
  const { path, requestSerialize, responseDeserialize } = service["RankStream"] as MethodDefinition<
    object,
    StreamResponse
  >;
  const client = new Client(address, credentials.createInsecure());
  const serialize = (value: object): Buffer =>
    Buffer.isBuffer(value) ? value : requestSerialize({ request: value });
  return {
    open(options = {}) {
      const call = client.makeBidiStreamRequest(
        path,
        serialize,
        responseDeserialize,
        new Metadata(),
        options.deadline === undefined ? {} : { deadline: options.deadline },
      );
      const received: StreamResponse[] = [];
      const waiting: { responses: number; resolve: () => void }[] = [];
      call.on("data", (response: StreamResponse) => {
        received.push(response);
        for (const one of waiting) if (received.length >= one.responses) one.resolve();
      });
      // What ends a call in an error is in its status too.
      call.on("error", () => {});
      const ended = new Promise<{ code: string; detail: string; trailer: Metadata }>((resolve) =>
        call.on("status", ({ code, details, metadata }: StatusObject) =>
          resolve({ code: status[code] ?? String(code), detail: details, trailer: metadata }),
        ),
      );
      return {
        received,
        send: (request) => new Promise((resolve) => call.write(request, () => resolve())),
        async count(responses) {
          if (received.length < responses)
            await new Promise<void>((resolve) => waiting.push({ responses, resolve }));
          return received;
        },
        halfClose: () => call.end(),
        cancel: () => call.cancel(),
        pause: () => call.pause(),
        resume: () => call.resume(),
        ended,
      };
    },
    close: () => client.close(),
  };
}
