// The public API of splitgrow: every command as a typed function, the parts they are made of, and the types that these name.

export { type BenchDocument, type BenchOptions, bench, type Timing } from './api/bench.js';
export { benchSplitting, type SplittingBenchResult } from './api/bench-splitting.js';
export { type BuildCommandOptions, type BuildControl, build } from './api/build.js';
export { type CompareRun, compare, compareExperiment } from './api/compare.js';
export { type CostDocument, type CostOptions, cost } from './api/cost.js';
export {
  type BenchDataDocument,
  type BenchDataOptions,
  benchData,
  type LoaderTiming,
} from './api/data-bench.js';
export {
  type Counts,
  type FolderOptions,
  type IndexDataDocument,
  type IndexDataOptions,
  indexData,
} from './api/data-index.js';
export {
  type PackDataDocument,
  type PackDataOptions,
  packData,
  type VerifyDataDocument,
  verifyData,
} from './api/data-pack.js';
export { type EvaluateDocument, type EvaluatedPart, type EvaluateOptions, evaluate } from './api/evaluate.js';
export {
  defineExperiment,
  type Experiment,
  type ExperimentControl,
  type ExperimentOptions,
} from './api/experiment.js';
export { type ExportDocument, type ExportOptions, exportNetwork } from './api/export.js';
export { type ForwardDocument, type ForwardOptions, forward } from './api/forward.js';
export { type GrowthRun, grow, growExperiment } from './api/grow.js';
export { type ImportDocument, type ImportOptions, importWeights } from './api/import.js';
export { type IndicesCommandOptions, type IndicesDocument, indices, type Method } from './api/indices.js';
export { type InitDocument, type InitOptions, init } from './api/init.js';
export { type MemoryReport, memory } from './api/memory.js';
export { type PredictDocument, type PredictedClass, type PredictOptions, predict } from './api/predict.js';
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
export type { Running } from './api/running.js';
export { doctor, type SetupCommandOptions, type SetupControl, setup } from './api/setup.js';
export { type ShowDocument, type ShownGroup, show } from './api/show.js';
export { type SplitDocument, type SplitOptions, split } from './api/split.js';
export { train } from './api/train.js';
export type {
  AutoGuess,
  Check,
  CheckedSearch,
  Crossing,
  Crossover,
  Crossovers,
  ExactSearch,
  LeftOut,
  Part,
  Point,
  Search,
  Searches,
  Sizes,
  SplittingBenchDocument,
  StepName,
  Steps,
  StepTime,
  WholeSearch,
  WholeSearches,
} from './bench/documents.js';
export type { SplittingBenchOptions } from './bench/options.js';
export type { FileState } from './data/get/checksum.js';
export { type GetDataOptions, getData } from './data/get/get.js';
export { type ListDataDocument, type ListedData, listData } from './data/get/list.js';
export type { Archive, DataSource, Member } from './data/get/sources.js';
export type { DataFile, DataProgress, GetDataControl, GetDataDocument } from './data/get/work.js';
export type { FileProblem } from './data/images/walk.js';
export { CODES, type ErrorCode, type ErrorRow, isSplitgrowError, SplitgrowError } from './errors.js';
export { dotOf } from './export/dot.js';
export type { ExportSettings, FormatName, Written } from './export/formats.js';
export { svgOf } from './export/svg.js';
export type { Curve, CurveKind, Point as CurvePoint, SearchCost } from './figure/result.js';
export type { PaperNumbers, PlanRow } from './figure/rows.js';
export type { FigureControl, FigureEvent } from './figure/run.js';
export type { FailedRun, Outcome } from './figure/schedule.js';
export type { FigureProgress } from './figure/work.js';
export type { CostFunction } from './graph/caller-cost.js';
export { type ChannelGroup, channelGroups } from './graph/channels.js';
export { parseGraph, type Shapes, shapes } from './graph/check.js';
export { type Cost, type CostOfGraph, type CostOfNodes, macs, marginalCost, params } from './graph/cost.js';
export {
  type GrownGraph,
  type GrowOptions as GrowGraphOptions,
  grow as growGraph,
  type Plan,
} from './graph/grow.js';
export type { FieldValue, Graph, GraphInput, GraphNode, NodeId, Value } from './graph/ir.js';
export type { Activation } from './graph/ops.js';
export type { PrintedNode } from './graph/print.js';
export type { Surgery, TensorSurgery } from './graph/program.js';
export type { DoctorReport, Finding } from './machine/doctor/doctor.js';
export type { Driver, Gpu } from './machine/doctor/gpu.js';
export type { Attempts, RemoteFile } from './machine/download/download.js';
export type { BuildProgress, BuildResult } from './machine/libtorch/build.js';
export type { SetupProgress } from './machine/libtorch/install.js';
export type { LibTorch } from './machine/libtorch/locate.js';
export type { PreloadRow } from './machine/libtorch/preload.js';
export type { SetupResult } from './machine/libtorch/setup.js';
export type { Features } from './machine/libtorch/trial.js';
export { network } from './models/builder.js';
export type {
  BlockOptions,
  Branch,
  ConvOptions,
  DepthwiseOptions,
  InvertedOptions,
  LayerOptions,
  LinearOptions,
  MapLayers,
  NetworkOptions,
  PoolOptions,
  ResidualOptions,
  VectorLayers,
} from './models/layers.js';
export { buildPreset, type PresetOptions, ZOO } from './models/zoo.js';
export type { NoteEvent, Phase, ProgressEvent, RunControl, RunEvent, StageSeconds } from './native/events.js';
export type {
  Device,
  DType,
  Handle,
  HandleCounters,
  IndexMethod,
  LoaderStats,
  MemoryCounters,
  NetworkHandle,
  Precision,
  Progress,
  Statistics,
  TensorData,
  TensorMap,
} from './native/face.js';
export { type Scope, scope } from './native/scope.js';
export type { CompareOptions } from './run/compare-run.js';
export type { Effort, InitData } from './run/init/choices.js';
export type { GrowOptions } from './run/run.js';
export type { DataSpec, NetworkSpec, Spec } from './run/spec/experiment.js';
export type {
  CheckpointInput,
  CompareEntryInput,
  CompareInput,
  DataInput,
  DeliverInput,
  ExperimentInput,
  FitInput,
  NetworkInput,
  SplittingInput,
  StopInput,
} from './run/spec/experiment-input.js';
export type { Extensions } from './run/spec/extensions.js';
export { parseExperiment, readExperiment } from './run/spec/spec.js';
export { trainExperiment } from './run/stage/train.js';
export type {
  BestRecord,
  BudgetRecord,
  Candidate,
  CertificateRecord,
  ChainRecord,
  CompareRecord,
  EndReason,
  EpochRecord,
  EvaluationRecord,
  Histogram,
  LoaderRecord,
  MetricsLine,
  OtherMethodRecord,
  PickRecord,
  RivalRecord,
  SplitRecord,
  StageRecord,
  StageSummary,
  StepRecord,
  Summary,
} from './run/store/records.js';
export type { InsertionRecord } from './run/store/split-record.js';
export type { GrownStage } from './run/store/summary.js';
export type { SplitInstead } from './split/choose/insertion.js';
export type {
  StrategyBudget,
  StrategyCandidate,
  StrategyContext,
  StrategyFunction,
} from './split/choose/strategies.js';
export type { BirthNorms, Norms } from './split/step/ages.js';
export type { GradientNorms, GradientsRecord, LayerGradients } from './split/step/gradients.js';
export type { EpsilonScale } from './split/step/step.js';
export type { TwinsRecord } from './split/step/twins.js';
export type { ComputeRecord } from './train/compute.js';
export {
  type CreateOptions,
  createNetwork,
  type LoadOptions,
  loadNetwork,
  type Network,
  saveNetwork,
} from './train/network.js';
