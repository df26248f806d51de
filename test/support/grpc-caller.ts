import { Client, credentials, Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import { loadSync, type MethodDefinition, type ServiceDefinition } from "@grpc/proto-loader";

/** How one call ended: `code` and `detail` are OK and empty where it went well. */
export interface GrpcAnswer {
  readonly code: string;
  readonly detail: string;
  readonly message: Record<string, unknown>;
  readonly trailer: Metadata;
}

export interface GrpcCaller {
  /** `message` is the contract's message as an object, or the very bytes to send. */
  call(
    service: string,
    method: string,
    message: object | Buffer,
    options?: { deadline?: number; metadata?: Record<string, string> },
  ): Promise<GrpcAnswer>;
  close(): void;
}

/** A client as anyone would make one from `proto/`: through proto-loader, knowing nothing of the server's codecs. */
export function grpcCaller(address: string): GrpcCaller {
  const contract = loadSync(
    ["ranking", "outcome", "experiment"].map((name) => `setlist/v1/${name}.proto`),
    {
      includeDirs: ["proto"],
      longs: Number,
      defaults: true,
      oneofs: true,
    },
  );
  const client = new Client(address, credentials.createInsecure());
  return {
    call(service, method, message, options = {}) {
      const definition = (contract[service] as ServiceDefinition)[method] as MethodDefinition<object, object>;
      const serialize = (value: object): Buffer =>
        Buffer.isBuffer(value) ? value : definition.requestSerialize(value);
      return unaryCall(client, definition.path, serialize, definition.responseDeserialize, message, options);
    },
    close: () => client.close(),
  };
}

/** One unary call; resolves however it ends. */
export function unaryCall(
  client: Client,
  path: string,
  serialize: (value: object) => Buffer,
  deserialize: (bytes: Buffer) => object,
  message: object,
  { deadline, metadata = {} }: { deadline?: number; metadata?: Record<string, string> } = {},
): Promise<GrpcAnswer> {
  const sent = new Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  return new Promise((resolve) => {
    let failure: ServiceError | null = null;
    let received: object = {};
    const callOptions = deadline === undefined ? {} : { deadline };
    const call = client.makeUnaryRequest(
      path,
      serialize,
      deserialize,
      message,
      sent,
      callOptions,
      (error, value) => {
        failure = error;
        received = value ?? {};
      },
    );
    call.on("status", (end: StatusObject) => {
      // The status event comes after the callback or just before it: the next turn has seen both.
      setImmediate(() =>
        resolve({
          code: status[failure?.code ?? end.code] ?? String(end.code),
          detail: end.code === status.OK ? "" : end.details,
          message: received as Record<string, unknown>,
          trailer: end.metadata,
        }),
      );
    });
  });
}
