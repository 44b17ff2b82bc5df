// Formats everything that `npm run check` looks at.
import { filesIn, main, must, tool } from './steps.mjs';

await main(async () => {
  await must('formatting TypeScript', tool('biome'), ['check', '--write', '--colors=off', '.']);
  const native = filesIn(['native'], (path) => /\.(cc|h|cu|cuh)$/.test(path));
  await must('formatting C++', tool('clang-format'), ['-i', ...native]);
});
