// What makes two runs the same work: equal in every field that decides a network, whatever they are called and held against.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { resultPart, seedPart } from '../run/spec/differences.js';
import type { Spec } from '../run/spec/experiment.js';

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const members = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`);
  return `{${members.join()}}`;
}

/** Letters that every file system takes. */
function slug(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '') || 'x';
}

/** "mobilenet_cifar10-cifar10" */
function subject({ network, data }: Spec): string {
  const net =
    'preset' in network
      ? network.preset
      : 'graph' in network
        ? network.graph.name
        : basename(network.directory);
  return `${slug(net)}-${slug('name' in data ? data.name : basename(data.file))}`;
}

/** Fashion-MNIST without a root is the part that ships, unless the whole set is asked for: not the same images. */
function images({ data }: Spec): string {
  if (!('name' in data) || data.name !== 'fashion-mnist' || data.whole) return '';
  return data.root === undefined ? 'shipped' : '';
}

function key(stem: string, text: string, { seed }: Spec): string {
  return `${stem}-${createHash('sha256').update(text).digest('hex').slice(0, 10)}-seed${seed}`;
}

/** Folder name of a run: equal for equal experiments, whatever they are called and whichever figure they belong to. */
export function runKey(spec: Spec): string {
  return key(`${subject(spec)}-${spec.splitting.strategy}`, canonical(resultPart(spec)) + images(spec), spec);
}

/** Folder name of the run that fits the seed network of `spec`: equal for all runs that begin alike. */
export function seedKey(spec: Spec): string {
  return key(
    `${subject(spec)}-stage0`,
    canonical({ ...seedPart(spec), seed: undefined }) + images(spec),
    spec,
  );
}
