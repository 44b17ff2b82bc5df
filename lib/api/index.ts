// The commands as typed asynchronous functions; the command line prints what they return.

export type { SplittingBenchDocument, SplittingBenchOptions } from '../bench/documents.js';
export { benchSplitting, type SplittingBenchResult } from '../bench/splitting.js';
export { type GetDataOptions, getData } from '../data/get/get.js';
export { type ListDataDocument, type ListedData, listData } from '../data/get/list.js';
export type { DataFile, DataProgress, GetDataControl, GetDataDocument } from '../data/get/work.js';
export type { Effort, InitData } from '../run/init/choices.js';
export { bench } from './bench.js';
export {
  type BenchDataDocument,
  type BenchDataOptions,
  benchData,
  type LoaderTiming,
} from './bench-data.js';
export { cost } from './cost.js';
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
} from './documents.js';
export { evaluate } from './evaluate.js';
export {
  type CompareRun,
  compare,
  type ExperimentControl,
  type GrowthRun,
  grow,
  train,
} from './experiments.js';
export { type ExportDocument, type ExportOptions, exportNetwork } from './export.js';
export {
  type IndexDataDocument,
  type IndexDataOptions,
  indexData,
  type PackDataDocument,
  type PackDataOptions,
  packData,
  type VerifyDataDocument,
  verifyData,
} from './folders.js';
export { forward } from './forward.js';
export { type ImportDocument, type ImportOptions, importWeights } from './import.js';
export { indices } from './indices.js';
export { type InitDocument, type InitOptions, init } from './init.js';
export { type MemoryReport, memory } from './memory.js';
export {
  type PredictDocument,
  type PredictedClass,
  type PredictOptions,
  predict,
} from './predict.js';
export {
  type FigureEntry,
  type FigureOptions,
  listFigures,
  type PlanDocument,
  planReproduction,
  type ReproduceDocument,
  type ReproduceOptions,
  reproduce,
} from './reproduce.js';
export {
  type BuildCommandOptions,
  type BuildControl,
  build,
  doctor,
  type SetupCommandOptions,
  type SetupControl,
  setup,
} from './setup.js';
export { type ShowDocument, type ShownGroup, show } from './show.js';
export { split } from './split.js';
