// splitgrow setup: fetches LibTorch into the cache, once for all checkouts.
import { bytes } from '../format.js';
import { setup } from '../setup/install.js';
import { defineCommand } from './command.js';
import { toggle } from './flags.js';
import { facts } from './table.js';

const PHASES = { wait: 'waiting', download: 'downloading', verify: 'checking', unpack: 'unpacking' } as const;

export const SETUP = defineCommand({
  name: 'setup',
  summary: 'fetches LibTorch into the cache, where none is found',
  flags: {
    cuda: toggle('with the CUDA libraries'),
    force: toggle('also where a usable LibTorch is found elsewhere'),
  },
  examples: [
    ['splitgrow setup', 'LibTorch for the CPU, about 545 MB to download'],
    ['SPLITGROW_CACHE=/data/cache splitgrow setup', 'into a folder of your choice'],
  ],
  run: async ({ cuda, force }, { control, meter }) => {
    const document = await setup({
      cuda,
      force,
      signal: control.signal,
      onProgress: ({ phase, message, done, total }) => {
        if (total === 0) meter.note(message);
        else meter.show(done / total, `${PHASES[phase]} ${message}  ${bytes(done)} of ${bytes(total)}`);
      },
    });
    const { root, version, source } = document.libtorch;
    const state = document.isNew ? 'just fetched' : 'there already';
    return {
      document,
      text: (style) =>
        facts(
          [
            ['LibTorch', `${version}, ${state}`],
            ['found in', `${root} (${source})`],
          ],
          style,
        ),
    };
  },
});
