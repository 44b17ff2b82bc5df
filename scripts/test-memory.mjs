// npm run test:memory [-- --record]: memory over the calls of 20,000 epochs; npm test makes those of 1,000.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { machine, recordResult, today } from './record.mjs';
import { main, run, tool } from './steps.mjs';

const EPOCHS = 20_000;
const MIB = 2 ** 20;

await main(async () => {
  await bootstrap();
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-memory-'));
  const file = join(folder, 'looks.json');
  try {
    const { code } = await run(tool('vitest'), ['run', 'test/native/memory.test.ts'], {
      env: { SPLITGROW_MEMORY_EPOCHS: String(EPOCHS), SPLITGROW_MEMORY_RECORD: file },
    });
    if (code !== 0 || !process.argv.includes('--record')) return code;
    const looks = JSON.parse(readFileSync(file, 'utf8')).map(({ epoch, resident, tensors }) => ({
      epoch,
      residentMebibytes: Number((resident / MIB).toFixed(1)),
      tensorBytes: tensors,
    }));
    recordResult('memory', () => ({
      what: 'training, evaluation, and every tenth epoch indices and growth, of a tiny network in one process',
      date: today(),
      epochs: EPOCHS,
      looks,
      machine: machine(),
    }));
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
