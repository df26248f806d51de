import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { PackageDefinition } from "@grpc/proto-loader";
import { knownSurface, revisionNote, surfaceView, surfaceViews } from "../rollout/rollout.ts";
import type { GrpcContext } from "./context.ts";
import { rawService } from "./contract.ts";
import { unary } from "./unary.ts";
import { wireValueModel } from "./wire-experiment.ts";
import { byOf, revisionOf, type WriteTerms, wireChange } from "./write-terms.ts";

interface SurfaceRequest extends WriteTerms {
  readonly surface?: string;
}

interface SwitchRequest extends WriteTerms {
  readonly on?: boolean;
  readonly reason?: string;
}

/** The methods of `setlist.v1.ExperimentService` about surfaces' defaults and the kill switch. */
export function surfaceMethods(
  contract: PackageDefinition,
  context: GrpcContext,
): UntypedServiceImplementation {
  const { experiments, surfaces, writes } = context;
  const { writer, reader } = rawService(contract, "setlist.v1.ExperimentService");
  const route = (name: string) => ({
    route: `ExperimentService/${name}`,
    read: reader(name),
    write: writer(name),
  });
  return {
    ListSurfaces: unary(context, {
      ...route("ListSurfaces"),
      handle: async () => ({
        surfaces: surfaceViews(surfaces, await experiments.refresh()).map(wireValueModel),
      }),
    }),
    SurfaceHistory: unary(context, {
      ...route("SurfaceHistory"),
      async handle(request) {
        const { surface = "" } = request as SurfaceRequest;
        const history = await experiments.surfaceHistory(knownSurface(surfaces, surface));
        return {
          revisions: history.map(({ document, ...revision }) => ({
            ...document,
            ...(document.shipped !== undefined && { shipped: wireValueModel(document.shipped) }),
            ...revisionNote({ document, ...revision }),
          })),
        };
      },
    }),
    RestoreSurface: unary(context, {
      ...route("RestoreSurface"),
      async handle(request, call) {
        const { surface = "", ...terms } = request as SurfaceRequest;
        const name = knownSurface(surfaces, surface);
        const written = await writes.restore(name, revisionOf(terms), byOf(terms, call));
        return {
          surface: wireValueModel(surfaceView(surfaces, name, written.surface)),
          change: wireChange(written.change),
        };
      },
    }),
    GetKillSwitch: unary(context, {
      ...route("GetKillSwitch"),
      handle: async () => (await experiments.refresh()).killSwitch,
    }),
    SetKillSwitch: unary(context, {
      ...route("SetKillSwitch"),
      async handle(request, call) {
        const { on = false, reason = "", ...terms } = request as SwitchRequest;
        const revision = on ? terms.revision : revisionOf(terms);
        const { killSwitch, change } = await writes.killSwitch({ on, reason, revision }, byOf(terms, call));
        return { killSwitch, change: wireChange(change) };
      },
    }),
    KillSwitchHistory: unary(context, {
      ...route("KillSwitchHistory"),
      handle: async () => ({
        revisions: (await experiments.killSwitchHistory()).map((one) => ({
          killSwitch: one.document,
          ...revisionNote(one),
        })),
      }),
    }),
  };
}
