// Makes the GPU kernels' twin this process's accelerator; to be imported before anything loads the addon.
import { join } from 'node:path';
import { ROOT } from '../data/places.js';

export const TWIN = join(process.env.SPLITGROW_ADDON ?? join(ROOT, 'build', 'Release'), '..', 'test');
process.env.SPLITGROW_ACCELERATOR = join(TWIN, 'splitgrow_twin.so');
