// What training and splitting on a CPU must reach beside PyTorch, and the ratios that are held against it.
import { median, quantile } from './common.mjs';

export const STEPS = {
  train: 'training step',
  forward: 'forward pass, evaluation',
  single: 'forward pass of one image',
  rayleigh: 'Rayleigh product S v',
  exact: 'exact pass',
};

/** Steps over PyTorch's `over`, its best way of each; `limits` by network: at most, and what is aimed at. */
const RATIOS = [
  { step: 'train', over: 'train', threads: 1, limits: { seed: [0.2, 0.12], x4: [0.38, 0.28] } },
  { step: 'train', over: 'train', threads: 2, limits: { seed: [0.13, 0.065], x4: [0.28, 0.19] } },
  { step: 'train', over: 'train', threads: 2, isBusy: true, limits: { seed: [0.25], x4: [0.5] } },
  { step: 'rayleigh', over: 'train', threads: 1, limits: { seed: [0.22, 0.14], x4: [0.42, 0.33] } },
  { step: 'exact', over: 'train', threads: 1, limits: { seed: [0.45], x4: [2] } },
  ...[1, 2].map((threads) => ({
    ...{ step: 'train', over: 'train', threads },
    limits: { v1: [0.5, 0.35], v2: [0.5, 0.35], resnet: [0.8] },
  })),
  ...[1, 2].map((threads) => ({
    ...{ step: 'single', over: 'single', threads },
    limits: { seed: [0.5], x4: [0.5] },
  })),
];
const MEMORY = 0.7;
const PHASE = [1, 0.3];
const DEMO_SECONDS = 20;
const EPOCH_SECONDS = 2;

/** Beside other work a step that waits long now and then is slow too. */
const centreOf = ({ meanMs, medianMs }, isBusy) => (isBusy ? meanMs : medianMs);

/** The rows of PyTorch's programs where all else is as in `place`. */
function theirRows(times, { network, threads, isBusy = false, over }) {
  return times.filter(
    (row) =>
      row.isPyTorch &&
      row.network === network &&
      row.threads === threads &&
      row.isBusy === isBusy &&
      row.step === over,
  );
}

/** Our step over PyTorch's fastest program; of each round, and the median, the least and the most of them. Null where one is missing. */
export function ratioOf(times, program, { network, threads, isBusy = false, step, over }) {
  const ours = times.find(
    (row) =>
      row.program === program &&
      row.network === network &&
      row.threads === threads &&
      row.isBusy === isBusy &&
      row.step === step,
  );
  const others = theirRows(times, { network, threads, isBusy, over });
  if (ours === undefined || others.length === 0) return null;
  const overall = (row) => median(row.rounds.map((round) => centreOf(round, isBusy)));
  const best = others.reduce((a, b) => (overall(b) < overall(a) ? b : a));
  const each = ours.rounds.map((round, i) => centreOf(round, isBusy) / centreOf(best.rounds[i], isBusy));
  return {
    ...{ found: median(each), least: Math.min(...each), most: Math.max(...each), best: best.program },
    ...{ oursMs: overall(ours), bestMs: overall(best) },
  };
}

const PLACES = { false: '', true: ', a busy process on each core' };

function ratioTargets({ times, networks }, program) {
  return RATIOS.flatMap(({ limits, ...at }) =>
    networks.flatMap(({ name: network, title }) => {
      const [limit, aim = null] = limits[network] ?? [];
      if (limit === undefined) return [];
      return {
        what: `${STEPS[at.step]} over PyTorch’s ${at.step === at.over ? 'best' : `best ${STEPS[at.over]}`}`,
        where: `${title}, ${at.threads} thread${at.threads > 1 ? 's' : ''}${PLACES[at.isBusy ?? false]}`,
        ...{ limit, aim, unit: 'x', ...(ratioOf(times, program, { ...at, network }) ?? { found: null }) },
      };
    }),
  );
}

/** Of resident memory: the least of PyTorch's programs is what ours is held against. */
function memoryTargets({ memory, networks }, program) {
  return networks.map(({ name, title }) => {
    const rows = memory.filter(({ network }) => network === name);
    const bytes = (row) => median(row.residentBytes);
    const ours = rows.find((row) => row.program === program);
    const theirs = rows.filter(({ isPyTorch }) => isPyTorch).map(bytes);
    return {
      what: 'peak memory of a training step over PyTorch’s least',
      where: title,
      ...{ limit: MEMORY, aim: null, unit: 'x' },
      found: ours === undefined || theirs.length === 0 ? null : bytes(ours) / Math.min(...theirs),
    };
  });
}

function phaseTargets({ phases, networks }, program) {
  return phases
    .filter((phase) => phase.program === program)
    .map(({ network, epochSeconds, methods }) => ({
      what: `splitting phase by lobpcg to 1 % of exact over an epoch of 8,192 images`,
      where: `${networks.find(({ name }) => name === network).title}, 1 thread`,
      ...{ limit: PHASE[0], aim: PHASE[1], unit: 'x' },
      // Outside of one per cent there is no such phase.
      found: (methods.lobpcg?.error ?? 1) <= 0.01 ? methods.lobpcg.seconds / median(epochSeconds) : null,
    }));
}

function wholeTargets({ wholes }, program) {
  if (wholes[program] === undefined) return [];
  const row = ([key, what, limit, unit]) => ({
    ...{ what, where: 'all cores', limit, aim: null, unit },
    found: wholes[program][key].seconds ?? null,
  });
  return [
    ['demo', 'the demo, report and rival included', DEMO_SECONDS, ' s'],
    ['epoch', 'an epoch over CIFAR-10’s 50,000 images, k = 3 seed', EPOCH_SECONDS, ' s'],
  ].map(row);
}

/** Every target for one of our programs, with what was found. */
export function targetsOf(document, program) {
  return [ratioTargets, memoryTargets, phaseTargets, wholeTargets].flatMap((of) => of(document, program));
}

/** Over all rounds, for the table. */
export function summaryOf(rounds) {
  const all = rounds.flatMap(({ milliseconds }) => milliseconds);
  return { medianMs: median(all), q1Ms: quantile(all, 0.25), q3Ms: quantile(all, 0.75) };
}
