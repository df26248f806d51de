import type { Server, ServerWritableStream } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { Readiness } from "../domain/readiness.ts";
import { serviceNames } from "./contract.ts";

/**
 * `grpc.health.v1.Health` for the server ("") and each service: SERVING exactly while the server is ready.
 * Returns what ends the watches, which would otherwise keep a closing server waiting for their clients.
 */
export function offerHealth(server: Server, readiness: Readiness): () => void {
  const health = new HealthImplementation();
  const show = (): void => {
    const status = readiness.state() === "ready" ? "SERVING" : "NOT_SERVING";
    for (const service of ["", ...serviceNames]) health.setStatus(service, status);
  };
  show();
  readiness.onChange(show);

  const watches = new Set<ServerWritableStream<unknown, unknown>>();
  health.addToServer({
    addService(definition: Parameters<Server["addService"]>[0], handlers: Record<string, unknown>) {
      const watch = handlers["watch"] as (call: ServerWritableStream<unknown, unknown>) => void;
      server.addService(definition, {
        ...handlers,
        watch: (call: ServerWritableStream<unknown, unknown>) => {
          watches.add(call);
          call.on("cancelled", () => watches.delete(call));
          watch(call);
        },
      } as never);
    },
  } as never);
  return () => {
    for (const call of watches) call.end();
  };
}
