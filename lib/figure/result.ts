// What a figure's runs found: types of figure.json, which statistics, plots, tables and exports are made from.

/** Where a point comes from: a stage of a growth run, a rival of its stages, or a number printed elsewhere. */
export type CurveKind = 'grown' | 'rival' | 'reported';

/** One trained network. */
export interface Point {
  /** Null for reported points. */
  readonly seed: number | null;
  /** Splitting stage; for a rival the stage whose MACs it is held against. Null for reported points. */
  readonly stage: number | null;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number | null;
  /** Per cent, on the test images. */
  readonly top1: number;
  /** Likewise; null where it is not known. */
  readonly top5: number | null;
  /** Mean cross-entropy on the test images; null where it is not known. */
  readonly loss: number | null;
  /** Epochs of training that this network has behind it, those of its parents counted. */
  readonly epochs: number | null;
  /** Channels of every layer that makes some, by id. */
  readonly widths: Readonly<Record<string, number>>;
  /** Network directory, relative to the figure's folder. */
  readonly directory: string | null;
}

/** What one method's run of one seed cost: everything from the seed network to its last point. */
export interface SearchCost {
  /** Seed of the run. */
  readonly seed: number;
  /** Seconds of parametric updates, of splitting (indices, choice, growth) or searching, and of evaluation. */
  readonly fit: number;
  /** Seconds of what went before the training that counts. */
  readonly search: number;
  /** Seconds of evaluations. */
  readonly evaluate: number;
  /** (fit + search) / seconds of one training step of the seed network in the same run. */
  readonly trainingSteps: number;
}

/** One method's points over all seeds. */
export interface Curve {
  /** Unique within its panel: "energy-aware", "Pruning (Bn)". */
  readonly label: string;
  /** Part of the figure that it belongs to ("k = 3"); one panel a set of axes. */
  readonly panel: string;
  /** Grown, rival or reported. */
  readonly kind: CurveKind;
  /** Row of the rivals' table, the splitting strategy, or null for reported points. */
  readonly method: string | null;
  /** Networks of the curve, in order. */
  readonly points: readonly Point[];
  /** Seconds of each run. */
  readonly costs: readonly SearchCost[];
  /** Where reported numbers were printed; null for what ran here. */
  readonly source: string | null;
}

/** One experiment that ran: its file with every default filled in, and the folder of its records (stage.json of each stage). */
export interface FigureRun {
  readonly label: string;
  readonly panel: string;
  readonly seed: number;
  /** The whole experiment as it ran, without the dataset's folder. */
  readonly experiment: unknown;
  /** Output folder, relative to the figure's folder. */
  readonly output: string;
}

/** A plot that the figure asks for; a row of the table of plots draws it. */
export interface PlotRequest {
  readonly kind: string;
  readonly title?: string | undefined;
}

/** "The paper shows that `better` lies above `than`": compared at equal MACs, paired by seed. */
export interface Claim {
  readonly panel: string;
  readonly better: string;
  readonly than: string;
  /** What the paper shows, in words. */
  readonly text: string;
  /** Along which axis the curves are compared. */
  readonly on: 'macs' | 'params';
  /** Compare the low end, the high end or the whole range that both cover. */
  readonly where: 'low' | 'high' | 'all';
  /** `within`: better is no more than one standard deviation below than. */
  readonly relation: 'above' | 'within';
}

/** figure.json */
export interface FigureResult {
  readonly format: 'splitgrow-figure/1';
  readonly id: string;
  readonly title: string;
  /** Section and figure of the paper. */
  readonly paper: string;
  readonly scale: string;
  /** What this scale changes, in words: data, images, epochs, stages. */
  readonly note: string;
  readonly seeds: readonly number[];
  readonly curves: readonly Curve[];
  readonly runs: readonly FigureRun[];
  readonly plots: readonly PlotRequest[];
  readonly claims: readonly Claim[];
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Readonly<Record<string, string | number>>;
  /** Seconds that the runs took, summed over runs that went side by side too, those of earlier sittings included. */
  readonly seconds: number;
}
