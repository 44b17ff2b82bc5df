// What training multiplies in, by what an experiment asks for and the device has.
import { SplitgrowError } from '../errors.js';
import type { Device, Precision } from '../native/face.js';
import { loadCore } from '../native/load.js';

/** How each device is said to lack bfloat16. */
const LACKS: Readonly<Record<Device, string>> = {
  cpu: 'a processor with AVX512-BF16 or AMX, found neither',
  cuda: 'a GPU of compute capability 8.0 or more, found none',
};

/**
 * auto: bfloat16 where the device multiplies it in hardware, else float32. On a CPU only the engine's loops are faster in
 * bfloat16 than in float32, so auto is float32 without them.
 * @throws E_DEVICE where bfloat16 is asked for and the device lacks it
 */
export function precisionOn(device: Device, asked: Precision | 'auto'): Precision {
  const { bfloat16 } = loadCore().features();
  const isThere = bfloat16[device];
  const isFast = isThere && (device !== 'cpu' || bfloat16.engine !== '');
  if (asked === 'auto') return isFast ? 'bfloat16' : 'float32';
  if (asked === 'float32' || isThere) return asked;
  throw new SplitgrowError(
    'E_DEVICE',
    `precision bfloat16: expected ${LACKS[device]}; take float32, or auto for bfloat16 where there is any`,
  );
}
