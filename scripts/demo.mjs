// npm run demo: makes the clone ready and grows a small MobileNet on Fashion-MNIST.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { main, ROOT, run, say } from './steps.mjs';

const EXPERIMENT = join('experiments', 'demo.json');

await main(async () => {
  await bootstrap();
  const { code } = await run(process.execPath, [
    join('dist', 'cli', 'main.js'),
    'grow',
    EXPERIMENT,
    ...process.argv.slice(2),
  ]);
  if (code !== 0) return code;
  const { output } = JSON.parse(readFileSync(join(ROOT, EXPERIMENT), 'utf8'));
  const report = join(ROOT, output, 'report.html');
  if (existsSync(report)) say(`\nThe report with its plots: ${report}`);
  return 0;
});
