import { fromBinary, isFieldSet, toBinary } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import {
  type DescriptorProto,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { type handleBidiStreamingCall, type Server, type ServerDuplexStream, status } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as healthProtoPath } from "grpc-health-check";
import { contractFiles, contractRoot } from "./contract.ts";

/** Server reflection (v1 and v1alpha) of everything that is offered: what grpcurl and its like read. */
export function offerReflection(server: Server): void {
  // With the fields' own names: clients that know a contract by reflection alone write them as they are told.
  const contract = loadSync([...contractFiles], { includeDirs: [contractRoot], keepCase: true });
  const health = loadSync(healthProtoPath, { keepCase: true });
  let open = 0;
  new ReflectionService(protocLike({ ...contract, ...health })).addToServer({
    addService(definition: Parameters<Server["addService"]>[0], handlers: ReflectionHandlers) {
      const { ServerReflectionInfo: answer } = handlers;
      server.addService(definition, {
        ServerReflectionInfo(call: Call) {
          if (open >= callsMax) {
            call.emit("error", { code: status.RESOURCE_EXHAUSTED, details: tooMany });
            return;
          }
          open++;
          call.once("close", () => open--);
          readAsAnswersLeave(call);
          answer(call);
        },
      });
    },
  } as never);
}

type Call = ServerDuplexStream<unknown, unknown>;
interface ReflectionHandlers {
  readonly ServerReflectionInfo: handleBidiStreamingCall<unknown, unknown>;
}

/** Hardly a person uses it, and for a moment; each call may hold a message of 2 MiB that is not whole yet. */
const callsMax = 16;
const tooMany = `reflection: at most ${callsMax} calls are open at a time; try again`;

/**
 * The library answers whatever comes: 40 bytes of a question are 20 kB of an answer, kept where the client asks on and
 * does not read.
 */
function readAsAnswersLeave(call: Call): void {
  const write = call.write.bind(call) as (answer: unknown) => boolean;
  call.write = (answer: unknown): boolean => {
    const goesOn = write(answer);
    if (!goesOn) {
      call.pause();
      call.once("drain", () => call.resume());
    }
    return goesOn;
  };
}

/** The calls whose client may take as long as it likes to say more. */
export const reflectionPaths = [
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/**
 * The files as protoc would describe them, for clients that check what they are told. protobufjs calls the message
 * behind `map<…> features` `Features`, where the language has it `FeaturesEntry`; it refers to types by their last
 * name alone; and it leaves out JSON names and which fields are `optional`.
 */
function protocLike(contract: PackageDefinition): PackageDefinition {
  const files = new Map<string, Buffer>();
  for (const { fileDescriptorProtos } of Object.values(contract) as { fileDescriptorProtos?: Buffer[] }[]) {
    for (const bytes of fileDescriptorProtos ?? []) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      mend(file);
      files.set(file.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
    }
  }
  return { described: { fileDescriptorProtos: [...files.values()] } } as unknown as PackageDefinition;
}

function mend(file: FileDescriptorProto): void {
  const types = new Set<string>(file.enumType.map((one) => `${file.package}.${one.name}`));
  for (const message of file.messageType) collectTypes(message, file.package, types);
  for (const message of file.messageType) mendMessage(message, file.package, types);
  for (const { method } of file.service) {
    for (const one of method) {
      one.inputType = absolute(one.inputType, file.package, types);
      one.outputType = absolute(one.outputType, file.package, types);
    }
  }
}

function collectTypes(message: DescriptorProto, scope: string, types: Set<string>): void {
  const name = `${scope}.${message.name}`;
  types.add(name);
  for (const { name: nested } of message.enumType) types.add(`${name}.${nested}`);
  for (const nested of message.nestedType) collectTypes(nested, name, types);
}

function mendMessage(message: DescriptorProto, scope: string, types: ReadonlySet<string>): void {
  const name = `${scope}.${message.name}`;
  for (const field of message.field) {
    field.jsonName = protoCamelCase(field.name);
    // An `optional` field stands alone in a oneof called as it is, after a `_`.
    if (isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex)) {
      field.proto3Optional = message.oneofDecl[field.oneofIndex]?.name === `_${field.name}`;
    }
    const entry = message.nestedType.find((one) => one.name === field.typeName && one.options?.mapEntry);
    if (entry !== undefined) entry.name = entryName(field.name);
    if (field.typeName === "") continue;
    field.typeName =
      entry === undefined ? absolute(field.typeName, name, types) : `.${name}.${entryName(field.name)}`;
  }
  for (const nested of message.nestedType) mendMessage(nested, name, types);
}

/** The nearest type of that name, from `scope` outwards; as it stands where it is none of this file. */
function absolute(type: string, scope: string, types: ReadonlySet<string>): string {
  if (type.startsWith(".")) return type;
  for (let from = scope; from !== ""; from = from.slice(0, Math.max(0, from.lastIndexOf(".")))) {
    if (types.has(`${from}.${type}`)) return `.${from}.${type}`;
  }
  return types.has(type) ? `.${type}` : type;
}

/** `user_features` to `UserFeaturesEntry`. */
function entryName(field: string): string {
  return `${field.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())}Entry`;
}
