// Types that the signatures of the public API mention, so that they can be named and are in the reference.

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
  StepName,
  Steps,
  StepTime,
} from '../bench/documents.js';
export type { FileState } from '../data/get/checksum.js';
export type { Archive, DataSource, Member, RemoteFile } from '../data/get/sources.js';
export type { FileProblem } from '../data/images/walk.js';
export type { ErrorRow } from '../errors.js';
export type { ExportSettings, FormatName, Written } from '../export/formats.js';
export type { Curve, CurveKind, Point as CurvePoint, SearchCost } from '../figure/result.js';
export type { PaperNumbers, PlanRow } from '../figure/rows.js';
export type { FailedRun, FigureControl, FigureEvent } from '../figure/run.js';
export type { Outcome } from '../figure/schedule.js';
export type { Standing as FigureStanding } from '../figure/work.js';
export type { Energy, GraphEnergy, NodeEnergy } from '../graph/cost.js';
export type { GrownGraph, GrowOptions as GrowGraphOptions } from '../graph/grow.js';
export type { FieldValue, GraphInput, NodeId, Value } from '../graph/ir.js';
export type { Activation } from '../graph/ops.js';
export type { Surgery, TensorSurgery } from '../graph/program.js';
export type { DoctorReport, Finding } from '../machine/doctor/doctor.js';
export type { Driver, Gpu } from '../machine/doctor/gpu.js';
export type { Attempts } from '../machine/download/download.js';
export type { BuildProgress, BuildResult } from '../machine/libtorch/build.js';
export type { SetupProgress } from '../machine/libtorch/install.js';
export type { LibTorch } from '../machine/libtorch/locate.js';
export type { PreloadRow } from '../machine/libtorch/preload.js';
export type { SetupResult } from '../machine/libtorch/setup.js';
export type { DType, Handle, NetworkHandle } from '../native/core.js';
export type { LoaderStats } from '../native/images.js';
export type { Features } from '../native/options.js';
export type { Precision, Statistics } from '../native/train.js';
export type { Effort, InitData } from '../run/init/choices.js';
export type { NetworkSpec } from '../run/spec/spec.js';
export type {
  AlongsideRecord,
  BudgetRecord,
  CertificateRecord,
  ChainRecord,
  EndReason,
  EpochRecord,
  EvaluationRecord,
  Histogram,
  LoaderRecord,
  PickRecord,
  StepRecord,
} from '../run/store/records.js';
export type { EpsilonScale } from '../split/step/step.js';
export type { TwinsRecord } from '../split/step/twins.js';
export type { CreateOptions } from '../train/network.js';
export type { Counts, FolderOptions } from './folders.js';
