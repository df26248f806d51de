import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ServerProcess, startServerProcess } from "../../src/app/server-process.ts";
import { publishVersion } from "../published-version.ts";

export interface SoakedServer {
  readonly server: ServerProcess;
  readonly url: string;
  readonly grpcAddress: string;
  readonly dataDir: string;
  readonly repository: string;
}

/** The experiment that runs all the while and is analysed. */
export const steadyExperiment = "home-steady";
export const models = ["home-control", "home-kd", "radio-control", "radio-kd"];

/** Segments so small and looks so frequent that what takes days elsewhere happens all the time. */
const config = `models: repository
experiments: experiments
surfaces:
  home: { defaultModel: { name: home-control } }
  radio: { defaultModel: { name: radio-control } }
log: { segmentBytesMax: 1048576, retentionBytesMax: 16777216 }
warehouse: { interval: 10s }
guardrails: { checkMs: 2000, logCheckMs: 120000 }
`;

const steady = `id: ${steadyExperiment}
surface: home
layer: home-ranker
status: running
traffic: 1
arms:
  - { id: control, control: true, weight: 1, model: { name: home-control } }
  - { id: kd, weight: 1, model: { name: home-kd } }
metrics:
  - { id: completions, type: mean, outcome: completion, role: primary }
  - { id: clicks, type: mean, outcome: click }
guardrails:
  - { kind: srm }
  - { kind: metric, metric: clicks, margin: 0.5 }
`;

/** `setlist serve` on a repository, experiments and a data directory of its own, below `folder`. */
export async function startSoakedServer(folder: string): Promise<SoakedServer> {
  const repository = join(folder, "repository");
  const dataDir = join(folder, "data");
  for (const name of models) await publishVersion(repository, name, 1);
  await mkdir(join(folder, "experiments"));
  await writeFile(join(folder, "experiments", `${steadyExperiment}.yaml`), steady);
  await writeFile(join(folder, "setlist.yaml"), config);
  const server = await startServerProcess({ dataDir, flags: ["--config", join(folder, "setlist.yaml")] });
  return {
    server,
    url: `http://127.0.0.1:${server.httpPort}`,
    grpcAddress: `127.0.0.1:${server.grpcPort}`,
    dataDir,
    repository,
  };
}
