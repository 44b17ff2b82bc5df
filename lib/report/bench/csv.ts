// splitting.csv: one row a width, then one row a part of the chains; raw numbers, and an empty cell where there is no number.

import {
  isLeftOut,
  type LeftOut,
  measured,
  type Search,
  type SplittingBenchDocument,
  STEP_NAMES,
} from '../../bench/documents.js';
import { METHODS } from '../../split/indices/settings.js';
import { csv } from '../page/files.js';

type Cell = number | string;

const SEARCHES = ['fast', 'auxiliary', 'exact'] as const;
/** Of a whole search by one method, timed as it runs. */
const WHOLE_PARTS = ['seconds', 'repeats', 'passes', 'distance', 'worst', 'above'] as const;
const HEAD = [
  ...['series', 'width', 'chains', 'neurons', 'largestDimension', 'weights', 'macs', 'params', 'matrixBytes'],
  ...STEP_NAMES.flatMap((step) => [`${step}_medianMs`, `${step}_repeats`, `${step}_peakBytes`]),
  ...SEARCHES.flatMap((search) => [`${search}_scaledSeconds`, `${search}_peakBytes`]),
  ...METHODS.flatMap((method) => WHOLE_PARTS.map((part) => `${method}_whole_${part}`)),
  ...['sweeps', 'equalEpochs', 'autoExactLayers', 'autoLobpcgLayers', 'autoOverBest'],
  ...['exactOverLobpcgExpected', 'exactOverLobpcgFound', 'leftOut'],
];

const cells = (search: Search | LeftOut): readonly Cell[] =>
  isLeftOut(search) ? ['', ''] : [search.seconds, search.peakBytes];

export function splittingCsv({ points, parts }: SplittingBenchDocument): string {
  const rows = points.map((point): readonly Cell[] => {
    const { steps, searches, wholes, auto } = point;
    const reasons = STEP_NAMES.flatMap((name) => {
      const step = steps[name];
      return isLeftOut(step) ? [`${name}: ${step.leftOut}`] : [];
    });
    const missing = METHODS.flatMap((method) => {
      const whole = wholes?.[method];
      return whole !== undefined && isLeftOut(whole) ? [`${method}: ${whole.leftOut}`] : [];
    });
    return [
      ...['width', point.width, point.chains, point.neurons, point.largestDimension, point.weights],
      ...[point.macs, point.params, point.matrixBytes],
      ...STEP_NAMES.flatMap((name): readonly Cell[] => {
        const step = measured(steps[name]);
        return step === null ? ['', '', ''] : [step.medianMs, step.repeats, step.peakBytes];
      }),
      ...SEARCHES.flatMap((name) => cells(searches[name])),
      ...METHODS.flatMap((method): readonly Cell[] => {
        const whole = wholes === null ? null : measured(wholes[method]);
        return WHOLE_PARTS.map((part) => whole?.[part] ?? '');
      }),
      measured(searches.exact)?.sweeps ?? '',
      point.equalEpochs ?? '',
      ...[auto.exactLayers, auto.lobpcgLayers, auto.overBest ?? '', auto.expectedRatio],
      ...[auto.foundRatio ?? '', [...reasons, ...missing].join('; ')],
    ];
  });
  const partRows = (parts?.points ?? []).map(({ chains, neurons, fast, exact }): readonly Cell[] => {
    const known: Readonly<Record<string, Cell>> = {
      series: 'part',
      width: parts?.width ?? '',
      ...{ chains, neurons },
      ...Object.fromEntries(
        Object.entries({ fast, exact }).flatMap(([name, search]) => {
          const [seconds = '', peak = ''] = cells(search);
          return [
            [`${name}_scaledSeconds`, seconds],
            [`${name}_peakBytes`, peak],
          ];
        }),
      ),
      sweeps: measured(exact)?.sweeps ?? '',
    };
    return HEAD.map((name) => known[name] ?? '');
  });
  return csv([HEAD, ...rows, ...partRows]);
}
