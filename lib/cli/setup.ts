// splitgrow setup: makes LibTorch available, once for all checkouts and packages.
import type { SetupProgress } from '../machine/libtorch/install.js';
import { type SetupResult, setup } from '../machine/libtorch/setup.js';
import { bytes, clock } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { text, toggle } from './flags.js';
import type { Meter } from './progress.js';
import { facts } from './table.js';

const PHASES: Readonly<Record<SetupProgress['phase'], string>> = {
  wait: 'waiting',
  download: 'downloading',
  verify: 'checking',
  unpack: 'unpacking',
  open: 'opening',
};

/** A rate over less says little. */
const LEAST_SECONDS = 1;

/** A listener that shows a set-up on `meter`: a line that stays as each phase begins, then a bar, or a line now and then. */
function showSetup(meter: Meter, now: () => number = Date.now): (progress: SetupProgress) => void {
  let start: { readonly phase: string; readonly at: number; readonly done: number } | null = null;
  return ({ phase, message, done, total }) => {
    if (start?.phase !== phase) {
      start = { phase, at: now(), done };
      const size = total > 0 ? `, ${bytes(total)}` : '';
      const kept = phase === 'download' && done > 0 && total > 0 ? ` of which ${bytes(done)} are there` : '';
      meter.note(`${PHASES[phase]} ${message}${size}${kept}`);
    }
    if (total === 0) return;
    const seconds = (now() - start.at) / 1000;
    const rate = seconds >= LEAST_SECONDS ? (done - start.done) / seconds : 0;
    const speed = rate > 0 ? `  ${bytes(rate)}/s  ${clock((total - done) / rate)} left` : '';
    meter.show(done / total, `${PHASES[phase]}  ${bytes(done)} of ${bytes(total)}${speed}`);
  };
}

function state({ isNew, opens }: SetupResult): string {
  const how = isNew ? 'just fetched' : 'there already';
  return opens === null ? how : `${how}, opens`;
}

function cudaState({ cuda }: SetupResult): readonly (readonly [string, string])[] {
  return cuda === null ? [] : [['CUDA libraries', cuda.opens ? 'open' : `do not open: ${cuda.fault}`]];
}

export const SETUP = defineCommand({
  name: 'setup',
  summary: 'makes LibTorch available: fetches it into the cache, where none is found',
  flags: {
    cuda: toggle('fetches the CUDA libraries too (2.5 GB to download)'),
    libtorch: text('DIR', 'checks this LibTorch, and uses it from now on'),
    force: toggle('fetches LibTorch and uses that one, even where a usable one is found elsewhere'),
    forget: toggle('forgets what --libtorch, --cuda or --force chose'),
  },
  examples: [
    ['splitgrow setup', 'LibTorch for the CPU, about 545 MB to download'],
    ['splitgrow setup --cuda', 'with what a GPU needs'],
    ['splitgrow setup --libtorch /opt/libtorch', 'one that is on the machine'],
    ['SPLITGROW_CACHE=/data/cache splitgrow setup', 'into a folder of your choice'],
  ],
  run: async ({ cuda, libtorch, force, forget }, { control, meter }) => {
    const document = await setup({
      cuda,
      libtorch,
      force,
      forget,
      signal: control.signal,
      onProgress: showSetup(meter),
    });
    const { root, version, source } = document.libtorch;
    return {
      document,
      text: (style) =>
        facts(
          [
            ['LibTorch', `${version}, ${state(document)}`],
            ['found in', `${root} (${source})`],
            ...cudaState(document),
            ...(document.note === null ? [] : [['note', document.note] as const]),
          ],
          style,
        ),
    };
  },
});
