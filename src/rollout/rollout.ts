/** What is in effect: experiments, what was shipped and the models that both need; and the path of one change of it. */
export type { ExperimentPlace } from "./experiment-place.ts";
export {
  knownExperiment,
  listedExperiments,
  type RevisionNote,
  readableRevision,
  revisionNote,
} from "./experiment-view.ts";
export { type By, ExperimentWrites, type MadeChange, type WrittenExperiment } from "./experiment-writes.ts";
export { defaultModelsOf, knownValueModels, valueModelsOf } from "./known-value-models.ts";
export { LiveExperiments } from "./live-experiments.ts";
export { checkNeedsOf } from "./model-needs.ts";
export { checkSurfaceModels } from "./surface-models.ts";
export { knownSurface, type SurfaceView, surfaceView, surfaceViews } from "./surface-view.ts";
export { confirmationsOf, writerOf } from "./write-terms.ts";
export { writtenDocument } from "./written-document.ts";
