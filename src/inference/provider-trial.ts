import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ExecutionProvider } from "../domain/execution-provider.ts";
import { explainProviderFailure } from "./provider-failure.ts";

/** Resolves with why a provider cannot run here, undefined where it can. */
export type TryProvider = (provider: ExecutionProvider) => Promise<string | undefined>;

/** A driver may compile for a while at its first use; one that takes longer hangs. */
const trialMsMax = 120_000;

/** Tries a provider in a process of its own; the CPU's needs no trial. */
export const tryProvider: TryProvider = (provider) => {
  if (provider === "cpu") return Promise.resolve(undefined);
  const script = fileURLToPath(new URL("./provider-trial-process.ts", import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, provider], { timeout: trialMsMax }, (error, _stdout, stderr) => {
      if (error === null) return resolve(undefined);
      const end = error.killed === true ? `no answer within ${trialMsMax / 1_000} s` : endOf(error);
      resolve(explainProviderFailure(provider, stderr, end));
    });
  });
};

function endOf({ signal, code }: { signal?: NodeJS.Signals | null; code?: unknown }): string {
  return signal ? `its trial ended with ${signal}` : `its trial ended with exit code ${String(code)}`;
}
