/** The only reader of the environment and of configuration files. */
export { loadExperimentDocuments } from "./config/experiment-files.ts";
export { type ConfigInput, loadConfig } from "./config/load.ts";
export type { LogLevel, SetlistConfig, SurfaceSettings } from "./config/settings.ts";
export { yamlText } from "./config/yaml-file.ts";
