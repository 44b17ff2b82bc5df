// Temporary folders of writers: those of writers that are gone are removed, and nothing else.
import { chownSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFileAtomic } from '../../../lib/machine/files/atomic.js';
import { newId, type Process, thisProcess } from '../../../lib/machine/files/owner.js';
import { sweepPlaces } from '../../../lib/machine/files/place.js';
import { inFolder } from '../../data/places.js';
import { ELSEWHERE, GONE } from './processes.js';

/** A place in `folder` as a writer left it. @returns its name */
function placeOf(folder: string, owner: Process): string {
  const id = newId();
  const name = `.splitgrow-${id}`;
  mkdirSync(join(folder, name, '0'), { recursive: true });
  writeFileSync(join(folder, name, 'owner.json'), JSON.stringify({ id, ...owner }));
  return name;
}

test('the place of a writer that is gone is removed, those of living writers and of unseen ones stay for a day', () =>
  inFolder(async (folder) => {
    const [, living, unseen, old] = [GONE, thisProcess(), ELSEWHERE, ELSEWHERE].map((owner) =>
      placeOf(folder, owner),
    );
    utimesSync(join(folder, String(old), 'owner.json'), 1, 1);
    await sweepPlaces(folder);
    expect(readdirSync(folder).sort()).toEqual([living, unseen].sort());
  }));

test('an empty folder that a kill left is removed after a day, and nothing with a word in it', () =>
  inFolder(async (folder) => {
    const [empty, torn, fresh, others] = ['a', 'b', 'c', 'd'].map((k) => `.splitgrow-${k.repeat(32)}`);
    for (const name of [empty, torn, fresh, others]) mkdirSync(join(folder, String(name)));
    writeFileSync(join(folder, String(torn), 'owner.json'), '');
    writeFileSync(join(folder, String(others), 'owner.json'), 'mine');
    for (const name of [empty, torn, others]) utimesSync(join(folder, String(name)), 1, 1);
    await writeFileAtomic(join(folder, 'x'), '');
    expect(readdirSync(folder).sort()).toEqual([fresh, others, 'x']);
  }));

test.skipIf(process.getuid?.() !== 0)(
  'a place that another user made stays (skipped: only root can make one)',
  () =>
    inFolder(async (folder) => {
      const [own, other] = [placeOf(folder, GONE), placeOf(folder, GONE)];
      chownSync(join(folder, other), 12_345, 12_345);
      await sweepPlaces(folder);
      expect(readdirSync(folder)).toEqual([other]);
      expect(own).not.toBe(other);
    }),
);
