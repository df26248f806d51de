import { SetlistError } from "../domain/error.ts";
import type { ModelVersion } from "../domain/model.ts";
import type { ModelLabel, ModelVersionStatus } from "../domain/model-life.ts";
import { noServerAt } from "../simulation/api-client.ts";

/** The models of a running server, as it says and changes them over HTTP. */
export interface RunningModels {
  versions(): Promise<readonly ModelVersionStatus[]>;
  load(version: ModelVersion): Promise<ModelVersionStatus>;
  unload(version: ModelVersion): Promise<ModelVersionStatus>;
  moveLabel(label: Omit<ModelLabel, "previous">, who: string): Promise<ModelLabel>;
}

/** Loading takes well under a second on most machines; a large model on a GPU may take its time. */
const answerMsMax = 120_000;

/**
 * Every call throws a SetlistError: with the server's own code and sentence where it refuses, UNAVAILABLE where none
 * answers.
 */
export function runningModels(url: string): RunningModels {
  const versionPath = ({ name, version }: ModelVersion): string =>
    `/v1/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`;
  return {
    async versions() {
      return ((await call(url, "GET", "/v1/models")) as { versions: ModelVersionStatus[] }).versions;
    },
    load: async (version) => (await call(url, "POST", `${versionPath(version)}/load`)) as ModelVersionStatus,
    unload: async (version) =>
      (await call(url, "POST", `${versionPath(version)}/unload`)) as ModelVersionStatus,
    moveLabel: async ({ name, label, version }, who) =>
      (await call(url, "PUT", `/v1/models/${encodeURIComponent(name)}/labels/${encodeURIComponent(label)}`, {
        version,
        who,
      })) as ModelLabel,
  };
}

async function call(url: string, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(new URL(path, url), {
    method,
    signal: AbortSignal.timeout(answerMsMax),
    ...(body !== undefined && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  }).catch((error: unknown) => {
    throw noServerAt(url, error);
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  const { code, detail } = (answer ?? {}) as { code?: SetlistError["code"]; detail?: string };
  throw new SetlistError(code ?? "UNAVAILABLE", detail ?? `${url} answers ${response.status}`);
}
