// The kinds of plot that a figure may ask for, one row each: its title, what it needs, and how it is drawn for a panel.
import { SplitgrowError } from '../../errors.js';
import type { Figure } from '../page/figure.js';
import type { Drawing, FigureData } from './data.js';
import { accuracyPlot, ratioPlot, seedsPlot } from './plots-accuracy.js';
import { agreementPlot, splitSecondsPlot } from './plots-splitting.js';
import { decreasePlot, twinsPlot } from './plots-steps.js';

interface PlotKind {
  readonly title: string;
  /** What must have been recorded. */
  readonly needs: string;
  /** Null where the panel has nothing to draw. */
  readonly draw: (data: FigureData, panel: string) => Drawing | null;
}

export const PLOTS: Readonly<Record<string, PlotKind>> = {
  'accuracy-macs': {
    title: 'Accuracy against MACs',
    needs: 'points',
    draw: (data, panel) => accuracyPlot(data, panel, 'macs'),
  },
  'accuracy-params': {
    title: 'Accuracy against parameters',
    needs: 'points whose parameters are known',
    draw: (data, panel) => accuracyPlot(data, panel, 'params'),
  },
  'split-seconds': {
    title: 'Seconds of splitting',
    needs: 'runs that split',
    draw: splitSecondsPlot,
  },
  agreement: {
    title: 'Agreement of methods',
    needs: 'runs with splitting.alongside',
    draw: agreementPlot,
  },
  decrease: {
    title: 'Decrease of the loss, predicted and measured',
    needs: 'runs whose split lowered the loss',
    draw: decreasePlot,
  },
  twins: {
    title: 'How offspring part',
    needs: 'runs that recorded the distance of twins',
    draw: twinsPlot,
  },
  ratio: {
    title: 'Accuracy against growth ratio',
    needs: 'curves whose experiments have a growth ratio each',
    draw: ratioPlot,
  },
  seeds: {
    title: 'Spread over seeds',
    needs: 'stages of two seeds or more',
    draw: seedsPlot,
  },
};

export interface Plots {
  readonly figures: readonly Figure[];
  /** What was asked for and could not be drawn. */
  readonly notDrawn: readonly string[];
}

function kindOf(kind: string): PlotKind {
  const found = Object.hasOwn(PLOTS, kind) ? PLOTS[kind] : undefined;
  if (found !== undefined) return found;
  throw new SplitgrowError(
    'E_FILE',
    `figure.json: expected a plot of kind ${Object.keys(PLOTS).join(', ')}, got ${JSON.stringify(kind)}`,
  );
}

/** Every plot that the figure asks for, one a panel that has something to draw. @throws E_FILE for an unknown kind */
export function plotsOf(data: FigureData): Plots {
  const { curves, runs, plots } = data.figure;
  const panels = [...new Set([...curves, ...runs].map(({ panel }) => panel))];
  const figures: Figure[] = [];
  const notDrawn: string[] = [];
  for (const { kind, title: asked } of plots) {
    const { title, needs, draw } = kindOf(kind);
    const drawn = panels.flatMap((panel) => {
      const drawing = draw(data, panel);
      return drawing === null ? [] : [{ panel, ...drawing }];
    });
    if (drawn.length === 0) notDrawn.push(`${asked ?? title}: nothing to draw yet, it needs ${needs}`);
    for (const { panel, ...drawing } of drawn) {
      const before = figures.filter(({ id }) => id.startsWith(`${kind}-`)).length;
      figures.push({
        id: `${kind}-${before + 1}`,
        title: `${asked ?? title}${panels.length > 1 && panel !== '' ? ` · ${panel}` : ''}`,
        ...drawing,
      });
    }
  }
  return { figures, notDrawn };
}
