/**
 * `npm run check:arrows`: dependency-cruiser over src with the rules of arrow-rules.ts.
 * It fails also when it saw no module: without its swc parser dependency-cruiser reads no TypeScript 7 and would pass.
 */
import { cruise, format } from "dependency-cruiser";
import { forbidden } from "./arrow-rules.ts";

const { output } = await cruise(["src"], {
  ruleSet: { forbidden },
  validate: true,
  parser: "swc",
  tsPreCompilationDeps: true,
  doNotFollow: { path: "node_modules" },
  enhancedResolveOptions: {
    extensions: [".ts", ".js", ".json"],
    exportsFields: ["exports"],
    conditionNames: ["import", "node", "default", "types"],
  },
});
if (typeof output === "string") throw new Error("expected dependency-cruiser's result, got a report");

const { totalCruised, totalDependenciesCruised = 0, error } = output.summary;
const report = await format(output, { outputType: "err-long" });
console.log(report.output);
if (totalCruised === 0 || totalDependenciesCruised === 0) {
  console.error(
    `saw ${totalCruised} modules and ${totalDependenciesCruised} dependencies: the check is blind`,
  );
  process.exitCode = 1;
}
if (error > 0) process.exitCode = 1;
