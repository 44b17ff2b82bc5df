// Random changes of a JSON value: members taken away, renamed, added, given twice, of another type or another size.
import type { Draw } from '../../../random-graphs.js';

type Path = readonly (string | number)[];

/** Values that sit at, beside and beyond what fields allow. */
const VALUES: readonly unknown[] = [
  ...[null, true, false, '', 'x', 'relu', 'macs', 'line-search', 'steps', 'constant', 'grown', 'scratch'],
  ...[0, 1, -1, 0.5, 1.5, 2, 3, 64, 65_537, 1e9, 1e-9, 2 ** 53, 2 ** 53 - 1, 1e300],
  ...[[], [0], [1, 2], ['flip'], ['macs', 'params'], {}, { kind: 'cosine' }, { stem: 3 }, [[1]], 'cifar100'],
];
const NAMES: readonly string[] = [
  ...['epoch', 'kind', 'name', 'at', 'targets', 'shuffle', '$schema', '__proto__', 'constructor', 'bias'],
];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every place of a value, its own first. */
export function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  const inner = Array.isArray(value)
    ? value.flatMap((one: unknown, at) => pathsOf(one, [...path, at]))
    : isObject(value)
      ? Object.entries(value).flatMap(([key, one]) => pathsOf(one, [...path, key]))
      : [];
  return [path, ...inner];
}

/** A member of its own, whatever it is called. */
function put(object: object, key: string | number, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A copy of `json` with one place changed; `known` are names that members may be called by. */
export function mutated(json: unknown, { below, one }: Draw, known: readonly string[] = []): unknown {
  const copy = structuredClone(json);
  const paths = pathsOf(copy);
  const path = one(paths);
  const last = path.at(-1);
  if (last === undefined) return one(VALUES);
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], copy) as object;
  const value = (parent as Record<string | number, unknown>)[last];
  const changes: readonly (() => void)[] = [
    () => {
      if (Array.isArray(parent)) parent.splice(Number(last), 1);
      else delete (parent as Record<string, unknown>)[String(last)];
    },
    () => put(parent, last, one(VALUES)),
    () => {
      if (Array.isArray(parent)) parent.push(value);
      else put(parent, one([...NAMES, ...known]), one(VALUES));
    },
    () => {
      if (Array.isArray(parent)) parent.reverse();
      else put(parent, `${String(last)}s`, value);
    },
  ];
  changes[below(changes.length)]?.();
  return copy;
}
