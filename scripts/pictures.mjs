// node scripts/pictures.mjs: draws the pictures of docs/images from numbers that it computes (npx tsc -p tsconfig.json first).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rayleighDescent } from './pictures/descent.mjs';
import { energy } from './pictures/energy.mjs';
import { groupsPicture } from './pictures/groups.mjs';
import { splittingIndex } from './pictures/splitting.mjs';
import { stagesPicture } from './pictures/stages.mjs';
import { main, ROOT, say } from './steps.mjs';

/** By file of docs/images. */
export const PICTURES = {
  'splitting-index.svg': splittingIndex,
  'energy.svg': energy,
  'rayleigh.svg': rayleighDescent,
  'channel-groups.svg': groupsPicture,
  'stages.svg': stagesPicture,
};

export const FOLDER = join(ROOT, 'docs', 'images');

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    mkdirSync(FOLDER, { recursive: true });
    for (const [name, draw] of Object.entries(PICTURES)) {
      writeFileSync(join(FOLDER, name), await draw());
      say(`docs/images/${name}`);
    }
    return 0;
  });
}
