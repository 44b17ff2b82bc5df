// splitgrow build: compiles the addon on this machine.

import { type BuildProgress, build } from '../machine/libtorch/build.js';
import { clock } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { text, toggle } from './flags.js';
import type { Meter } from './progress.js';
import { facts } from './table.js';

const PHASES: Readonly<Record<BuildProgress['phase'], string>> = {
  wait: 'waiting',
  fetch: 'fetching',
  configure: 'looking at the machine for',
  compile: 'compiling',
  try: 'trying',
};

/** Shows progress on a meter: a bar while files are compiled, else a line for each phase. */
function showBuild(meter: Meter): (progress: BuildProgress) => void {
  let before = '';
  return ({ phase, message, done, total }) => {
    const line = `${PHASES[phase]} ${message}`;
    if (total > 0) meter.show(done / total, line);
    else if (line !== before) meter.note(line);
    if (total === 0) before = line;
  };
}

export const BUILD = defineCommand({
  name: 'build',
  summary: 'compiles the addon on this machine, for another processor or LibTorch than the prebuilt one',
  flags: {
    libtorch: text('DIR', 'compiles against this LibTorch, of any release (default: the one that is found)'),
    cuda: toggle('compiles the CUDA library too, even without a GPU'),
    out: text('DIR', 'writes the addon to this folder, for SPLITGROW_ADDON (default: the package itself)'),
  },
  examples: [
    ['splitgrow build', 'a few minutes; needs a C++20 compiler and CMake 3.18'],
    [
      'splitgrow build --libtorch /opt/libtorch',
      'against another release, which is then the one that is used',
    ],
  ],
  run: async ({ libtorch, cuda, out }, { control, meter }) => {
    const document = await build({
      libtorch,
      cuda,
      out,
      signal: control.signal,
      onProgress: showBuild(meter),
    });
    return {
      document,
      text: (style) =>
        facts(
          [
            ['addon', document.folder],
            [
              'compiled',
              `${document.files.map(({ name }) => name).join(', ')} in ${clock(document.seconds)}`,
            ],
            ['against', `LibTorch ${document.libtorch.version} in ${document.libtorch.root}`],
            ...(document.note === null ? [] : [['note', document.note] as const]),
          ],
          style,
        ),
    };
  },
});
