// Ops that the engine leaves to LibTorch, with a conversion before and after: the results stay those of float64, and bench
// names them. SPLITGROW_ENGINE_WITHOUT stands for an op without loops, because every op has some.
import { afterEach, expect, test } from 'vitest';
import { bench } from '../../../lib/api/bench.js';
import { assertPrecisionsAgree } from './agreement.js';
import { startAwayFromKinks } from './nets.js';
import { everyOp, mobileNet, residualNet } from './whole-nets.js';

afterEach(() => {
  delete process.env.SPLITGROW_ENGINE_WITHOUT;
});

const NETS = { 'of every op': everyOp, 'with residuals': residualNet, 'like MobileNet': mobileNet };
/** Weights and several inputs; a change of shape; all at once. */
const LEFT = ['conv2d', 'linear', 'add', 'max_pool', 'flatten', 'conv2d,linear,add,max_pool,flatten'];

for (const [name, net] of Object.entries(NETS))
  for (const ops of LEFT)
    test(`a network ${name} whose ${ops} are left to LibTorch agrees with float64`, async () => {
      process.env.SPLITGROW_ENGINE_WITHOUT = ops;
      for (const images of [3, 17])
        await assertPrecisionsAgree(
          await startAwayFromKinks(net('silu'), images, images),
          `${images} images`,
        );
    });

test('bench names what the engine left to LibTorch, and nothing where it left nothing', async () => {
  const options = { network: 'mobilenet_cifar10', batchSize: 2, repeats: 1 } as const;
  const whole = await bench(options);
  expect(whole.engine).not.toBe('');
  expect(whole.byLibTorch).toEqual([]);
  process.env.SPLITGROW_ENGINE_WITHOUT = 'linear,max_pool';
  expect((await bench(options)).byLibTorch).toEqual(['linear']);
});

test('a network whose norms or random ops have no loops is left to LibTorch whole', async () => {
  process.env.SPLITGROW_ENGINE_WITHOUT = 'batch_norm';
  const found = await bench({ network: 'mobilenet_cifar10', batchSize: 2, repeats: 1 });
  expect([found.engine, found.byLibTorch]).toEqual(['', []]);
});
