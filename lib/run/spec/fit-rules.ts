// What the fields of `fit` ask of each other, stage by stage: rates and averages must have room in the epochs of every stage.
import type { Schedule } from '../../train/schedule.js';
import { ofStage } from './effects.js';

/** The fields that depend on each other. */
interface Rates {
  readonly epochs: number | readonly number[];
  readonly schedule: Schedule | readonly Schedule[];
  readonly finish: { readonly epochs: number | readonly number[]; readonly decay: number | null };
  readonly average: { readonly warmup: number };
}

/** A rule that is broken: the field within `fit`, and what was expected of it. */
export interface FitFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const ROOM =
  'expected warm-up and decay to take no more epochs than fit.epochs (short stages may have another schedule: fit.schedule takes a list, one a stage, as [{ "kind": "constant" }, { "kind": "wsd", "decay": 6 }])';
const WARM = 'expected fewer epochs of warm-up than fit.epochs';

/** The path of the entry that holds for a stage, in a field that may be a list. */
function entry(name: readonly string[], value: unknown, stage: number): readonly (string | number)[] {
  return Array.isArray(value) ? [...name, Math.min(stage, value.length - 1)] : name;
}

function faultsOfStage(fit: Rates, stage: number): readonly FitFault[] {
  const [epochs, finish] = [ofStage(fit.epochs, stage), ofStage(fit.finish.epochs, stage)];
  const schedule = ofStage<Schedule>(fit.schedule, stage);
  const at = entry(['schedule'], fit.schedule, stage);
  const warmup = 'warmup' in schedule ? (schedule.warmup ?? 0) : 0;
  const decay = schedule.kind === 'wsd' ? schedule.decay : 0;
  const isFitted = epochs > 0;
  const rules: readonly (readonly [boolean, FitFault])[] = [
    [isFitted && warmup >= epochs, { path: [...at, 'warmup'], message: WARM }],
    [isFitted && fit.average.warmup >= epochs, { path: ['average', 'warmup'], message: WARM }],
    [isFitted && decay > 0 && warmup + decay > epochs, { path: [...at, 'decay'], message: ROOM }],
    [
      finish > 0 && schedule.kind !== 'constant',
      {
        path: entry(['finish', 'epochs'], fit.finish.epochs, stage),
        message: 'expected fit.schedule.kind constant: finishing is where the rate falls',
      },
    ],
    [
      finish > 0 && (fit.finish.decay ?? 0) > finish,
      { path: ['finish', 'decay'], message: 'expected no more epochs than fit.finish.epochs' },
    ],
  ];
  return rules.flatMap(([isBroken, fault]) => (isBroken ? [fault] : []));
}

/** The rules that any stage breaks, each once. Stages behind the longest list are like its last. */
export function fitFaults(fit: Rates): readonly FitFault[] {
  const lengths = [fit.epochs, fit.schedule, fit.finish.epochs].map((value) => [value].flat().length);
  // An empty list is refused as such.
  if (lengths.includes(0)) return [];
  const all = Array.from({ length: Math.max(...lengths) }, (_, stage) => faultsOfStage(fit, stage)).flat();
  return [...new Map(all.map((fault) => [JSON.stringify(fault), fault])).values()];
}
