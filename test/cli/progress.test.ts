// Progress on standard error: what a bar says on a terminal, and the lines elsewhere.
import { expect, test } from 'vitest';
import { describeProgress, type ErrorStream, fractionOf, meterOn, showOn } from '../../lib/cli/progress.js';
import type { ProgressEvent } from '../../lib/native/events.js';

function at(epoch: number, done: number, change: Partial<ProgressEvent> = {}): ProgressEvent {
  return {
    type: 'progress',
    stage: 2,
    phase: 'fit',
    epoch,
    epochs: 4,
    progress: { phase: 'train', done, total: 10, images: 64 * done, seconds: 0.5, loss: 1.25 },
    ...change,
  };
}

function recorded(isTTY: boolean, columns = 120): ErrorStream & { readonly text: () => string } {
  let text = '';
  return {
    isTTY,
    columns,
    write: (chunk: string) => {
      text += chunk;
      return true;
    },
    text: () => text,
  };
}

test('the share done counts all epochs of a phase', () => {
  expect([at(0, 0), at(1, 5), at(3, 10)].map(fractionOf)).toEqual([0, 0.375, 1]);
  expect(fractionOf(at(0, 0, { epochs: 0 }))).toBe(0);
});

test('the words name phase, epoch, speed, time left and loss', () => {
  expect(describeProgress(at(1, 5), 83)).toBe('fitting  epoch 2/4  640 images/s  1:23 left  loss 1.250');
});

test('images from files tell the share of time that the trainer waited for them', () => {
  const loader = { decoded: 320, skipped: 0, warned: 0, decodeSeconds: 0.9, waited: 0.1 };
  const progress = {
    phase: 'train',
    done: 5,
    total: 10,
    images: 320,
    seconds: 0.5,
    loss: 1,
    loader,
  } as const;
  expect(describeProgress(at(1, 5, { progress }), 83)).toMatch(
    / 640 images\/s {2}waited 20(\.0)? % {2}1:23 left /,
  );
});

test('what has no meaning is left out', () => {
  const progress = {
    phase: 'evaluate',
    done: 0,
    total: 10,
    images: 0,
    seconds: 0,
    loss: Number.NaN,
  } as const;
  expect(describeProgress(at(0, 0, { phase: 'evaluate', epochs: 1, progress }), Number.NaN)).toBe(
    'evaluating',
  );
});

test('without a terminal there is a line every ten seconds, and every note', () => {
  let now = 0;
  const stream = recorded(false);
  const clock = (): number => now;
  const show = showOn(meterOn(stream, clock), { hasStages: true, now: clock });
  for (let step = 0; step <= 40; step += 1) {
    now = step * 600;
    show(at(Math.floor(step / 10), step % 10));
  }
  show({ type: 'note', stage: 2, phase: 'fit', text: 'epoch 4:\nloss 1.25' });
  expect(stream.text()).toBe(
    [
      '42%  stage 2  fitting  epoch 2/4  896 images/s  0:14 left  loss 1.250',
      '85%  stage 2  fitting  epoch 4/4  512 images/s  0:04 left  loss 1.250',
      'stage 2  epoch 4: loss 1.25',
      '',
    ].join('\n'),
  );
});

test('on a terminal a bar fits its line, gives way to notes, and leaves nothing behind', () => {
  const stream = recorded(true, 60);
  const meter = meterOn(stream);
  const show = showOn(meter);
  show(at(1, 5));
  show({ type: 'note', stage: 2, phase: 'fit', text: 'a note' });
  show(at(2, 5));
  meter.stop();
  expect(stream.text()).toContain('█');
  expect(stream.text()).toContain('a note\n');
  // What stands between two movements of the cursor is one drawing of the bar.
  for (const drawn of stream.text().split('\u001b')) expect(drawn.length).toBeLessThan(60 + '[1G'.length);
});
