// The rivals that an experiment asks for, entry by entry, and which records are theirs.
import type { RivalRecord } from '../experiment/records.js';

/** An entry of `compare`; a method's name alone stands for { method, at: 'last' }. */
export interface Asked {
  readonly method: string;
  /** One rival for the last network, or for every stage from 1 on; null where MACs are given instead. */
  readonly at: 'last' | 'stages' | null;
  readonly targets: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** Fields that records of version 0.1 lack. */
type Later =
  | 'label'
  | 'options'
  | 'stage'
  | 'target'
  | 'searchSeconds'
  | 'totalEpochs'
  | 'resolution'
  | 'lambda';

/** A rival's record, of this version or an older one. */
export type Rival = Omit<RivalRecord, 'method' | 'multiplier' | Later> & {
  readonly method: string;
  readonly label?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly stage?: number | null;
  readonly target?: number;
  readonly searchSeconds?: number;
  readonly totalEpochs?: number;
};

type Written =
  | string
  | {
      readonly method: string;
      readonly at?: 'last' | 'stages' | undefined;
      readonly targets?: readonly number[] | undefined;
    };

export function askedBy(compare: readonly Written[]): readonly Asked[] {
  return compare.map((entry) => {
    if (typeof entry === 'string') return { method: entry, at: 'last', targets: [], options: {} };
    const { method, at = 'last', targets, ...options } = entry;
    return { method, at: targets === undefined ? at : null, targets: targets ?? [], options };
  });
}

/** Stages that an entry's rivals are held against, of a run whose last stage is `last`. */
export function stagesOf({ at }: Asked, last: number): readonly number[] {
  if (at === null) return [];
  return at === 'last' ? [last] : Array.from({ length: last }, (_, stage) => stage + 1);
}

/** True where the record is one of the entry's: an output folder may hold those of several experiments. */
export function isAsked(asked: Asked, rival: Rival, last: number): boolean {
  const { method, targets, options } = asked;
  if (rival.method !== method) return false;
  const { stage = last, target, options: own } = rival;
  const isThere =
    stage === null ? target !== undefined && targets.includes(target) : stagesOf(asked, last).includes(stage);
  const isAlike = Object.entries(options).every(
    ([name, value]) => own === undefined || JSON.stringify(own[name]) === JSON.stringify(value),
  );
  return isThere && isAlike;
}
