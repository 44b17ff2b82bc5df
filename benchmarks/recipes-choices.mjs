// What the index adds to the cost: pairs of recipes of which one ignores it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mean, numberColumn, standardError } from './common.mjs';
import { CHOICES, folderOf, RECIPES } from './recipes-table.mjs';

/** Neurons chosen at stage 0, as "layer neuron". */
function choiceOf(name, seed, { out, compute }) {
  const file = join(out, `${folderOf(name)}-${compute}-${seed}`, 'stage-0', 'stage.json');
  const { picks } = JSON.parse(readFileSync(file, 'utf8')).split;
  return new Set(picks.map(({ group, neuron }) => `${group} ${neuron}`));
}

/** What the index adds to the cost: differences in accuracy by seed, and how many choices are the same at stage 0, where both have one network. */
export function choiceRows(rows, options) {
  return CHOICES.flatMap(([name, control]) => {
    const [own, other] = [name, control].map((title) => rows.find((row) => row.name === title)?.values ?? []);
    const pairs = own.flatMap(({ seed, top1 }) => {
      const match = other.find((value) => value.seed === seed);
      return match === undefined ? [] : [{ seed, difference: top1 - match.top1 }];
    });
    if (pairs.length === 0) return [];
    const chosen = pairs.map(({ seed }) => [name, control].map((title) => choiceOf(title, seed, options)));
    const differences = pairs.map(({ difference }) => difference);
    const spread = pairs.length > 1 ? ` ± ${standardError(differences).toFixed(2)}` : '';
    return {
      ratio: RECIPES.find((recipe) => recipe.name === name).ratio,
      seeds: pairs.length,
      difference: `${mean(differences).toFixed(2)}${spread}`,
      neurons: mean(chosen.map(([one]) => one.size)),
      shared:
        100 * mean(chosen.map(([one, two]) => [...one].filter((pick) => two.has(pick)).length / one.size)),
    };
  });
}

export const CHOICE_COLUMNS = [
  numberColumn('growth ratio', ({ ratio }) => ratio, 2),
  { title: 'index and cost minus cost only, points', cell: ({ difference }) => difference },
  numberColumn('seeds', ({ seeds }) => seeds),
  numberColumn('neurons chosen at stage 0', ({ neurons }) => neurons, 1),
  numberColumn('of them by cost only too, %', ({ shared }) => shared, 0),
];
