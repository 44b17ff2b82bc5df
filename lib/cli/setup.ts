// splitgrow setup: makes LibTorch available, once for all checkouts and packages.
import { type SetupResult, setup } from '../machine/libtorch/setup.js';
import { defineCommand } from './command.js';
import { text, toggle } from './flags.js';
import { showSetup } from './setup-progress.js';
import { facts } from './table.js';

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
    cuda: toggle('with the CUDA libraries (2.5 GB to download)'),
    libtorch: text('DIR', 'check this LibTorch, and use it from now on'),
    force: toggle('fetch, and use that, also where a usable LibTorch is found elsewhere'),
    forget: toggle('forget what --libtorch, --cuda or --force chose'),
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
