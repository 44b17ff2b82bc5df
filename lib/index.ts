// The public API of splitgrow: every command as a typed function, and the parts they are made of.
export * from './api/index.js';
export type { Running } from './api/running.js';
export type * from './api/types.js';
export { CODES, type ErrorCode, isSplitgrowError, SplitgrowError } from './errors.js';
export { dotOf } from './export/dot.js';
export { svgOf } from './export/svg.js';
export type { CostFunction } from './graph/caller-cost.js';
export { type ChannelGroup, channelGroups } from './graph/channels.js';
export { parseGraph } from './graph/check.js';
export { macs, marginalCost, params } from './graph/cost.js';
export { grow as growGraph } from './graph/grow.js';
export type { Graph, GraphNode } from './graph/ir.js';
export type { PrintedNode } from './graph/print.js';
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
export type {
  Device,
  HandleCounters,
  MemoryCounters,
  Progress,
  TensorData,
  TensorMap,
} from './native/core.js';
export type { NoteEvent, Phase, ProgressEvent, RunControl, RunEvent, StageSeconds } from './native/events.js';
export { type Scope, scope } from './native/scope.js';
export { type CompareOptions, compareExperiment } from './run/compare-run.js';
export { type GrowOptions, growExperiment } from './run/run.js';
export type { Extensions } from './run/spec/extensions.js';
export { type DataSpec, parseExperiment, readExperiment, type Spec } from './run/spec/spec.js';
export { trainExperiment } from './run/stage/train.js';
export type {
  CompareRecord,
  MetricsLine,
  RivalRecord,
  SplitRecord,
  StageRecord,
  StageSummary,
  Summary,
} from './run/store/records.js';
export type { GrownStage } from './run/store/summary.js';
export type {
  StrategyBudget,
  StrategyCandidate,
  StrategyContext,
  StrategyFunction,
} from './split/choose/strategies.js';
export { createNetwork, type LoadOptions, loadNetwork, type Network, saveNetwork } from './train/network.js';
