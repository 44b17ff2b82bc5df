// The commands as typed asynchronous functions; the command line prints what they return.

export { bench } from './api/bench.js';
export {
  type BenchDataDocument,
  type BenchDataOptions,
  benchData,
  type LoaderTiming,
} from './api/bench-data.js';
export { cost } from './api/cost.js';
export type {
  BenchDocument,
  BenchOptions,
  CostDocument,
  CostOptions,
  EvaluateDocument,
  EvaluatedPart,
  EvaluateOptions,
  Experiment,
  ExperimentOptions,
  ForwardDocument,
  ForwardOptions,
  IndicesCommandOptions,
  IndicesDocument,
  Method,
  Plan,
  SplitDocument,
  SplitOptions,
  Timing,
} from './api/documents.js';
export { evaluate } from './api/evaluate.js';
export {
  type CompareRun,
  compare,
  type ExperimentControl,
  type GrowthRun,
  grow,
  train,
} from './api/experiments.js';
export { type ExportDocument, type ExportOptions, exportNetwork } from './api/export.js';
export {
  type IndexDataDocument,
  type IndexDataOptions,
  indexData,
  type PackDataDocument,
  type PackDataOptions,
  packData,
  type VerifyDataDocument,
  verifyData,
} from './api/folders.js';
export { forward } from './api/forward.js';
export { type ImportDocument, type ImportOptions, importWeights } from './api/import.js';
export { indices } from './api/indices.js';
export { type InitDocument, type InitOptions, init } from './api/init.js';
export { type MemoryReport, memory } from './api/memory.js';
export {
  type PredictDocument,
  type PredictedClass,
  type PredictOptions,
  predict,
} from './api/predict.js';
export {
  type FigureEntry,
  type FigureOptions,
  listFigures,
  type PlanDocument,
  planReproduction,
  type ReproduceDocument,
  type ReproduceOptions,
  reproduce,
} from './api/reproduce.js';
export {
  type BuildCommandOptions,
  type BuildControl,
  build,
  doctor,
  type SetupCommandOptions,
  type SetupControl,
  setup,
} from './api/setup.js';
export { type ShowDocument, type ShownGroup, show } from './api/show.js';
export { split } from './api/split.js';
export type { SplittingBenchDocument, SplittingBenchOptions } from './bench/documents.js';
export { benchSplitting, type SplittingBenchResult } from './bench/splitting.js';
export { type GetDataOptions, getData } from './data/get/get.js';
export { type ListDataDocument, type ListedData, listData } from './data/get/list.js';
export type { DataFile, DataProgress, GetDataControl, GetDataDocument } from './data/get/work.js';
export type { Effort, InitData } from './init/choices.js';
