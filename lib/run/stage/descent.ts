// How long a stage's Rayleigh descent took and what it left undone, in words.
import { integer } from '../../statistics/format.js';
import type { ChainRecord } from '../store/split-record.js';

/** Epochs, and neurons above the tolerance; empty where every layer is exact, or the record is of an older version. */
export function descentText(
  chains: readonly Pick<ChainRecord, 'method' | 'neurons' | 'epochs' | 'above'>[],
): string {
  const descended = chains.filter(({ method }) => method === 'rayleigh');
  const epochs = descended.flatMap((chain) => chain.epochs ?? []);
  if (epochs.length === 0) return '';
  const [least, most] = [Math.min(...epochs), Math.max(...epochs)];
  const sum = (of: (chain: (typeof descended)[number]) => number): number =>
    descended.reduce((all, chain) => all + of(chain), 0);
  const took = least === most ? integer(most) : `${integer(least)} to ${integer(most)}`;
  const above = integer(sum((chain) => chain.above ?? 0));
  return `${took} epochs of descent, ${above} of ${integer(sum(({ neurons }) => neurons))} neurons above the tolerance`;
}
