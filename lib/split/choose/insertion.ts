// Which of a stage's picks become new neurons of their channel group instead of offspring: the worst ones, at the same cost.
import type { GroupId } from '../../graph/channels.js';
import type { PickRecord } from './knapsack.js';

/** Kinds of new neurons. */
export const INSERTIONS = ['none', 'pairs', 'gradmax'] as const;

/** Fields of `splitting.insertion`. */
export interface Insertion {
  readonly kind: (typeof INSERTIONS)[number];
  /** Of the picks; rounded to whole neurons. */
  readonly share: number;
}

/** Picks of a group that were to become new neurons and are split after all. */
export interface SplitInstead {
  /** Channel group, by its first producer. */
  readonly group: GroupId;
  /** How many. */
  readonly neurons: number;
  /** Why. */
  readonly because: string;
}

/** The picks of a stage, divided. */
export interface Divided {
  /** Those that are split, in the order that they were chosen in. */
  readonly split: readonly PickRecord[];
  /** New neurons by group. */
  readonly inserted: ReadonlyMap<GroupId, number>;
  readonly instead: readonly SplitInstead[];
}

/** How many new neurons a group can get, and why not more. */
export type Room = (group: GroupId) => { readonly most: number; readonly because: string };

/**
 * The share of the picks that promise least for their cost (index / MACs nearest to 0) becomes new neurons. Of equal ones those
 * chosen later do. Pairs take two: of an odd number in a group the best is split. So are the best of a group with less room.
 *
 *     picks of a, a, b, a with ratios -4, -3, -2, -1, share 0.75: the last three; of a two are left, and of b one, which is split
 */
export function divided(
  picks: readonly PickRecord[],
  { kind, share }: Insertion,
  room: Room = () => ({ most: Number.POSITIVE_INFINITY, because: '' }),
): Divided {
  const count = kind === 'none' ? 0 : Math.round(share * picks.length);
  const worst = picks
    .map((pick, at) => ({ pick, at }))
    .sort((a, b) => b.pick.ratio - a.pick.ratio || b.at - a.at)
    .slice(0, count);
  const byGroup = new Map<GroupId, PickRecord[]>();
  for (const { pick } of worst) byGroup.set(pick.group, [...(byGroup.get(pick.group) ?? []), pick]);
  const inserted = new Map<GroupId, number>();
  const instead: SplitInstead[] = [];
  const gone = new Set<PickRecord>();
  for (const [group, list] of byGroup) {
    const { most, because } = room(group);
    const fitting = Math.min(list.length, most);
    const count = kind === 'pairs' ? fitting - (fitting % 2) : fitting;
    if (count > 0) inserted.set(group, count);
    // The best of them come last.
    for (const pick of list.slice(0, count)) gone.add(pick);
    if (fitting < list.length) instead.push({ group, neurons: list.length - fitting, because });
    if (count < fitting) instead.push({ group, neurons: fitting - count, because: 'one is left of a pair' });
  }
  return { split: picks.filter((pick) => !gone.has(pick)), inserted, instead };
}
