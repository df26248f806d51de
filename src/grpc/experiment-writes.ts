import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { PackageDefinition } from "@grpc/proto-loader";
import type { WrittenExperiment } from "../rollout/rollout.ts";
import type { GrpcContext } from "./context.ts";
import { rawService } from "./contract.ts";
import { type Call, unary } from "./unary.ts";
import { documentOfWire, wireExperiment } from "./wire-experiment.ts";
import { byOf, revisionOf, type WriteTerms, wireChange } from "./write-terms.ts";

/** Any of the messages that name one experiment; what is not set is not there. */
interface WriteRequest extends WriteTerms {
  readonly id?: string;
  readonly experiment?: { readonly id?: string };
  readonly winner?: string;
  readonly arm?: string;
  readonly reason?: string;
}

/** The methods of `setlist.v1.ExperimentService` that write experiments. */
export function experimentWrites(
  contract: PackageDefinition,
  context: GrpcContext,
): UntypedServiceImplementation {
  const { writes } = context;
  const { writer, reader } = rawService(contract, "setlist.v1.ExperimentService");
  const method = (
    name: string,
    write: (request: WriteRequest, call: Call) => Promise<WrittenExperiment>,
  ): UntypedServiceImplementation => ({
    [name]: unary(context, {
      route: `ExperimentService/${name}`,
      read: reader(name) as (...parameters: Parameters<ReturnType<typeof reader>>) => WriteRequest,
      handle: async (request, call) => wireWritten(await write(request, call)),
      write: writer(name),
    }),
  });
  return {
    ...method("Create", ({ experiment = {}, ...terms }, call) =>
      writes.create(documentOfWire(experiment), byOf(terms, call)),
    ),
    ...method("Put", ({ experiment = {}, ...terms }, call) =>
      writes.replace(experiment.id ?? "", revisionOf(terms), documentOfWire(experiment), byOf(terms, call)),
    ),
    ...method("Start", ({ id = "", ...terms }, call) =>
      writes.move("start", id, revisionOf(terms), undefined, byOf(terms, call)),
    ),
    ...method("Pause", ({ id = "", ...terms }, call) =>
      writes.move("pause", id, revisionOf(terms), undefined, byOf(terms, call)),
    ),
    ...method("Stop", ({ id = "", winner, ...terms }, call) =>
      writes.move("stop", id, revisionOf(terms), winner, byOf(terms, call)),
    ),
    ...method("Ship", ({ id = "", arm, ...terms }, call) =>
      writes.ship(id, revisionOf(terms), arm, byOf(terms, call)),
    ),
    ...method("Kill", ({ id = "", reason = "", ...terms }, call) =>
      writes.kill(id, terms.revision, reason, byOf(terms, call)),
    ),
    ...method("Revive", ({ id = "", ...terms }, call) =>
      writes.revive(id, revisionOf(terms), byOf(terms, call)),
    ),
    Import: unary(context, {
      route: "ExperimentService/Import",
      read: reader("Import") as (
        ...parameters: Parameters<ReturnType<typeof reader>>
      ) => WriteTerms & { readonly experiments?: readonly object[] },
      handle: async ({ experiments = [], ...terms }, call) => {
        const written = await writes.import(experiments.map(documentOfWire), byOf(terms, call));
        return { experiments: written.map(wireWritten) };
      },
      write: writer("Import"),
    }),
  };
}

function wireWritten({ experiment, change }: WrittenExperiment): object {
  return { experiment: wireExperiment(experiment), change: wireChange(change) };
}
