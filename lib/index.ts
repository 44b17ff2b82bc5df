// The public API of splitgrow: every command as a typed function, and the parts they are made of.
export * from './api.js';
export { CODES, type ErrorCode, isSplitgrowError, SplitgrowError } from './errors.js';
export type { NoteEvent, Phase, ProgressEvent, RunControl, RunEvent, StageSeconds } from './events.js';
export { type CompareOptions, compareExperiment } from './experiment/compare-run.js';
export type { Extensions } from './experiment/own.js';
export type {
  CompareRecord,
  MetricsLine,
  RivalRecord,
  SplitRecord,
  StageRecord,
  StageSummary,
  Summary,
} from './experiment/records.js';
export { type GrowOptions, growExperiment } from './experiment/run.js';
export { type DataSpec, parseExperiment, readExperiment, type Spec } from './experiment/spec.js';
export type { GrownStage } from './experiment/summary.js';
export { trainExperiment } from './experiment/train.js';
export { dotOf } from './export/dot.js';
export { svgOf } from './export/svg.js';
export { type ChannelGroup, channelGroups } from './graph/channels.js';
export { parseGraph } from './graph/check.js';
export { macs, marginalCost, params } from './graph/cost.js';
export { grow as growGraph } from './graph/grow.js';
export type { Graph, GraphNode } from './graph/ir.js';
export type { CostFunction } from './graph/own-cost.js';
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
export type { Device, HandleCounters, MemoryCounters, Progress, TensorData, TensorMap } from './native.js';
export { createNetwork, type LoadOptions, loadNetwork, type Network, saveNetwork } from './network.js';
export type { Running } from './running.js';
export { type Scope, scope } from './scope.js';
export type {
  StrategyBudget,
  StrategyCandidate,
  StrategyContext,
  StrategyFunction,
} from './split/strategies.js';
export type * from './types.js';
