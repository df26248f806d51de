import type { ModelLibrary, ModelVersionStatus } from "../../src/domain/model-life.ts";

/** A library in which nothing moves. */
export function standingLibrary(versions: readonly ModelVersionStatus[] = []): ModelLibrary {
  return {
    versions: () => versions,
    labels: () => [],
    labelHistory: () => [],
    load: async () => undefined,
    unload: async () => undefined,
    moveLabel: async () => undefined,
  };
}
