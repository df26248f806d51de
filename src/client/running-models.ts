import type { ModelVersion } from "../domain/model.ts";
import type { ModelLabel, ModelVersionStatus } from "../domain/model-life.ts";
import { callServer } from "./server-call.ts";

/** The models of a running server, as it says and changes them over HTTP. */
export interface RunningModels {
  versions(): Promise<readonly ModelVersionStatus[]>;
  load(version: ModelVersion): Promise<ModelVersionStatus>;
  unload(version: ModelVersion): Promise<ModelVersionStatus>;
  moveLabel(label: Omit<ModelLabel, "previous">, who: string): Promise<ModelLabel>;
}

/**
 * Every call throws a SetlistError: with the server's own code and sentence where it refuses, UNAVAILABLE where none
 * answers.
 */
export function runningModels(url: string): RunningModels {
  const versionPath = ({ name, version }: ModelVersion): string =>
    `/v1/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`;
  return {
    async versions() {
      return ((await callServer(url, "GET", "/v1/models", "versions")) as { versions: ModelVersionStatus[] })
        .versions;
    },
    load: async (version) =>
      (await callServer(url, "POST", `${versionPath(version)}/load`, "state")) as ModelVersionStatus,
    unload: async (version) =>
      (await callServer(url, "POST", `${versionPath(version)}/unload`, "state")) as ModelVersionStatus,
    moveLabel: async ({ name, label, version }, who) =>
      (await callServer(
        url,
        "PUT",
        `/v1/models/${encodeURIComponent(name)}/labels/${encodeURIComponent(label)}`,
        "version",
        {
          body: { version, who },
        },
      )) as ModelLabel,
  };
}
