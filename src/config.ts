/** The only reader of the environment and of configuration files. */
export {
  loadExperimentDocuments,
  readWrittenExperiment,
  readWrittenExperiments,
} from "./config/experiment-files.ts";
export { loadConfig } from "./config/load.ts";
export type { SetlistConfig } from "./config/settings.ts";
export { withUserIdKey } from "./config/user-id-key.ts";
export { yamlText } from "./config/yaml-file.ts";
