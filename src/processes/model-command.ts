import type { ModelVersion } from "../domain/model.ts";
import type { ModelLabel, ModelLibrary } from "../domain/model-life.ts";

/** A change to the models of a server, as it goes from one process to another. */
export type ModelCommand =
  | { readonly kind: "load" | "unload"; readonly version: ModelVersion }
  | { readonly kind: "label"; readonly label: Omit<ModelLabel, "previous">; readonly who: string };

/** @throws {SetlistError} as the library's methods. */
export function carryOut(command: ModelCommand, library: ModelLibrary): Promise<void> {
  if (command.kind === "label") return library.moveLabel(command.label, command.who);
  return command.kind === "load" ? library.load(command.version) : library.unload(command.version);
}

/** What a process reads it reads from its own models; what it changes, `order` has every process change. */
export function sharedLibrary(
  own: ModelLibrary,
  order: (command: ModelCommand) => Promise<void>,
): ModelLibrary {
  return {
    versions: () => own.versions(),
    labels: () => own.labels(),
    labelHistory: (name) => own.labelHistory(name),
    load: (version) => order({ kind: "load", version }),
    unload: (version) => order({ kind: "unload", version }),
    moveLabel: (label, who) => order({ kind: "label", label, who }),
  };
}
