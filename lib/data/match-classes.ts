// Matches the classes of a dataset with those of a network: by name where both have names, never by number alone then.
import { SplitgrowError } from '../errors.js';
import { writableNames } from '../graph/classes.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { integer } from '../statistics/format.js';
import type { Dataset } from './dataset.js';
import { relabelled } from './images/part.js';
import { some } from './images/part-folders.js';
import { isInMemory, labelsIn, type Part } from './part.js';

interface Matched {
  /** The dataset, with labels as the network numbers its classes. */
  readonly data: Dataset;
  /** What a reader of results should know. */
  readonly notes: readonly string[];
}

const alike = (name: string): string => name.normalize('NFC');
const quoted = (names: readonly string[]): string => some(names.map((name) => `"${name}"`));

/** The part with label `k` replaced by `numbers[k]`. */
function withNumbers(part: Part, numbers: readonly number[]): Part {
  const labels = labelsIn(part).map((label) => numbers[label] ?? -1);
  if (!isInMemory(part)) return relabelled(part, labels);
  const wide = BigInt64Array.from(labels, BigInt);
  return { ...part, labels: { ...part.labels, data: new Uint8Array(wide.buffer) } };
}

/** Places in the network's list of the dataset's names, -1 where it has none. A name written alike in Unicode's composed form will do. */
function placesOf(own: readonly string[], names: readonly string[]): readonly number[] {
  const exact = new Map(own.map((name, at) => [name, at]));
  const composed = new Map(own.map((name, at) => [alike(name), at]));
  return names.map((name) => exact.get(name) ?? composed.get(alike(name)) ?? -1);
}

function refuseUnknown(
  graph: Graph,
  data: Dataset,
  { own, names, unknown }: Readonly<Record<'own' | 'names' | 'unknown', readonly string[]>>,
): SplitgrowError {
  const near = own.find((name) => unknown.some((one) => one.toLowerCase() === name.toLowerCase()));
  const hint = near === undefined ? '' : ` (it has "${near}": capitals count)`;
  return new SplitgrowError(
    'E_LABELS',
    `dataset ${data.name}: network "${graph.name}" has no class ${quoted(unknown)}${hint}, ${integer(unknown.length)} of the data's ${integer(names.length)} classes; it has ${quoted(own)}; rename the data's classes, or take them by their numbers with data.classesBy "number" (eval: --classes-by number)`,
  );
}

/** The note for labels that are used as numbers. */
function byNumber(graph: Graph, data: Dataset, names: readonly string[] | undefined): readonly string[] {
  const outputs = lower(graph).classes;
  const counts =
    data.classes === outputs
      ? ''
      : `: ${data.name} has ${integer(data.classes)} of them, the network ${integer(outputs)}`;
  const because =
    data.classesBy === 'number'
      ? 'as data.classesBy says'
      : names === undefined
        ? `for ${data.name} names none`
        : `for network "${graph.name}" names none`;
  const isSame = names !== undefined && graph.classes?.join('\n') === names.join('\n');
  const isSilent = counts === '' && (isSame || (names === undefined && graph.classes === undefined));
  return isSilent ? [] : [`classes are matched by number, ${because}${counts}`];
}

/**
 * The dataset with labels as the network numbers its classes: by name where both name them, in whatever order and however
 * many of them the dataset has. Only classes that images belong to have to be the network's.
 *
 * @throws E_LABELS naming classes that the network does not have
 */
export function matchClasses(graph: Graph, data: Dataset): Matched {
  const own = graph.classes;
  const names = data.classNames === undefined ? undefined : writableNames(data.classNames);
  if (own === undefined || names === undefined || data.classesBy === 'number')
    return { data, notes: byNumber(graph, data, names) };
  const numbers = placesOf(own, names);
  const used = new Set([...new Set(labelsIn(data.train)), ...new Set(labelsIn(data.test))]);
  const unknown = names.filter((_, at) => numbers[at] === -1 && used.has(at));
  if (unknown.length > 0) throw refuseUnknown(graph, data, { own, names, unknown });
  const twin = numbers.find((number, at) => number >= 0 && numbers.indexOf(number) !== at);
  if (twin !== undefined) {
    throw new SplitgrowError(
      'E_LABELS',
      `dataset ${data.name}: expected one class for "${own[twin]}" of network "${graph.name}", found two, their accents in two Unicode forms; make them one`,
    );
  }
  const known = names.filter((_, at) => (numbers[at] ?? -1) >= 0);
  const moved = numbers.filter((number, at) => number >= 0 && number !== at).length;
  const rewritten = known.filter((name) => !own.includes(name)).length;
  const isSame = moved === 0 && rewritten === 0 && names.length === own.length;
  const matched = {
    ...data,
    classes: own.length,
    classNames: own,
    ...(moved > 0 && {
      train: withNumbers(data.train, numbers),
      test: withNumbers(data.test, numbers),
      ...(data.validation && { validation: withNumbers(data.validation, numbers) }),
    }),
  };
  const facts = [
    `${integer(known.length)} of the data's ${integer(names.length)} are among the network's ${integer(own.length)}`,
    ...(moved > 0 ? [`${integer(moved)} have another number there`] : []),
    ...(rewritten > 0 ? [`${integer(rewritten)} are written in another Unicode form`] : []),
  ];
  return { data: matched, notes: isSame ? [] : [`classes are matched by name: ${facts.join(', ')}`] };
}
