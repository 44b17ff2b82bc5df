// The schema of an experiment file: every field with its meaning, its one default and what it affects, and the types of a
// checked experiment.
import { z } from 'zod';
import type { Graph } from '../../graph/ir.js';
import { MOST_THREADS } from '../../native/threads.js';
import { CHECKPOINT, type CheckpointSpec } from './checkpoint.js';
import { OWN } from './choice.js';
import { COMPARE, type CompareSpec } from './compare.js';
import { GIVEN, having } from './conditions.js';
import { DATA_FILE, DATA_IMAGES, DATA_NAMED, type DataSpec } from './data.js';
import { DELIVER, type DeliverSpec } from './deliver.js';
import { afterStage0, effectsIn, group, nothing, part, place, weights } from './effects.js';
import { FIT, type FitSpec } from './fit.js';
import { DIRECTORY, GRAPH, PRESET } from './network.js';
import { RECIPES, type RecipeName } from './recipes.js';
import { SPLITTING, type SplittingSpec } from './splitting.js';

const count = z.int().min(1);

const STOP = part({
  stages: afterStage0(
    z.int().min(0).optional().describe('splitting stages: n leave `stage-0` to `stage-n`'),
    { mayRise: true },
  ),
  macs: afterStage0(count.optional().describe('no network ever has more MACs')),
  costs: afterStage0(
    z
      .record(OWN, z.number().positive())
      .refine((costs) => !('macs' in costs), 'expected no macs, which stop.macs limits')
      .optional()
      .meta({ not: having({ macs: GIVEN }) })
      .describe(
        'no network ever costs more: an object of limits by name, the names of `splitting.cost` but `macs`',
      ),
  ),
});

/** The top of an experiment without `network` and `data`, whose variants are told apart by their own members. */
export const REST = {
  $schema: nothing(
    z.string().optional().describe('for editors alone: the JSON Schema to complete the file by'),
  ),
  name: nothing(z.string().min(1).describe('name of the run: any text')),
  recipe: nothing(
    z
      .enum(Object.keys(RECIPES) as [RecipeName, ...RecipeName[]])
      .default('paper')
      .describe(
        'defaults of the fields that are left out: `paper`, which are those of this table, or `growth`',
      ),
  ),
  fit: group(FIT.prefault({}).describe('parametric updates: epochs, minibatch, optimizer, schedule')),
  splitting: group(SPLITTING.prefault({}).describe('splitting indices, choice of neurons and growth')),
  stop: group(STOP.prefault({}).describe('when growth ends: after so many stages, at so many MACs, or both')),
  checkpoint: group(CHECKPOINT.prefault({}).describe('how often a run is kept, and how much of it')),
  deliver: group(
    DELIVER.prefault({}).describe(
      'which network `output/best` holds: a name, or an object with these members',
    ),
  ),
  compare: nothing(COMPARE),
  seed: weights(z.int().min(0).default(0).describe('decides weights, order, augmentation, directions')),
  output: place(z.string().min(1).optional().describe('folder of the run; left out: `runs/<name>`')),
  device: weights(z.enum(['cpu', 'cuda']).default('cpu').describe('`cpu` or `cuda`'), {
    remedy: 'what is left is computed there',
    suitsFinished: true,
  }),
  threads: nothing(
    count.max(MOST_THREADS).nullable().default(null).describe('CPU threads; null: as LibTorch chooses'),
    { isPerMachine: true },
  ),
};

/** The whole experiment. A preset, a directory or a graph is the network; a name, image files or a file are the data. */
export const EXPERIMENT = part({
  ...REST,
  network: group(
    z
      .union([PRESET, DIRECTORY, GRAPH])
      .describe(
        '`{ "preset": ... }` with its options, `{ "directory": ... }`, or `{ "graph": ... }`, a graph as in network.json',
      ),
  ),
  data: group(
    z
      .union([DATA_NAMED, DATA_IMAGES, DATA_FILE])
      .describe('the images: a dataset by its name, or a safetensors file'),
  ),
});

/** What every field affects, by its path. Those of rivals are one field, `compare`. */
export const EFFECTS = effectsIn(EXPERIMENT);

/** The `network` part of an experiment, checked: a preset with its options, a directory, or a graph. */
export type NetworkSpec =
  | z.output<typeof PRESET>
  | z.output<typeof DIRECTORY>
  | {
      /** Checked by `parseGraph`. */
      readonly graph: Graph;
    };
export type { CheckpointSpec, CompareSpec, DataSpec, DeliverSpec, FitSpec, SplittingSpec };
/** The `stop` part of an experiment, checked. */
export interface StopSpec extends z.output<typeof STOP> {}

/** An experiment, checked and with every default filled in. */
export interface Spec {
  /** Of the run; the output folder is `runs/<name>` unless it says otherwise. */
  readonly name: string;
  /** Where the fields that it left out were taken from. They are all filled in. */
  readonly recipe: RecipeName;
  /** What it starts from. */
  readonly network: NetworkSpec;
  /** What it learns. */
  readonly data: DataSpec;
  /** Parametric updates of a stage. */
  readonly fit: FitSpec;
  /** Indices, choice and growth. */
  readonly splitting: SplittingSpec;
  /** Where growth ends. */
  readonly stop: StopSpec;
  /** How often the run is kept. */
  readonly checkpoint: CheckpointSpec;
  /** Which network is handed over. */
  readonly deliver: DeliverSpec;
  /** Rivals trained after it. */
  readonly compare: CompareSpec;
  /** Of every random choice. */
  readonly seed: number;
  /** The output folder. */
  readonly output: string;
  /** Where it computes. */
  readonly device: 'cpu' | 'cuda';
  /** Threads of LibTorch; null: as many as it chooses. */
  readonly threads: number | null;
}
