import { writeFileSync } from "node:fs";

/** Saves what `--json FILE` asks for, where it does. */
export function saveJson(file: string | undefined, report: object): void {
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}
