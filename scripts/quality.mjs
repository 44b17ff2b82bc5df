// node scripts/quality.mjs: writes the table of docs/quality.md from the results that the gates recorded.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { resultOf } from './record.mjs';
import { main, ROOT, say } from './steps.mjs';

export const PAGE = join(ROOT, 'docs', 'quality.md');

const whole = (value) => Math.round(value).toLocaleString('en-US');
const minutes = (seconds) => (seconds / 60).toFixed(1);

/** By gate, its recorded result in words. */
const WORDS = {
  tidy: ({ date, tool, files, filesWithFindings }) =>
    `${date}: ${files} files, ${filesWithFindings} with findings (${tool})`,
  audit: ({ date, audited, reason, advisories }) =>
    audited
      ? `${date}: ${Object.entries(advisories)
          .map(([what, count]) => `${count} ${what}`)
          .join(', ')}`
      : `${date}: nobody could be asked (${reason})`,
  asan: ({ date, sanitizers, passed, failed, skipped }) =>
    `${date}: ${passed} tests passed, ${failed} failed, ${skipped} skipped (${sanitizers})`,
  fuzz: ({ targets }) =>
    Object.entries(targets)
      .map(
        ([name, one]) =>
          `${name} ${one.date}: ${minutes(one.seconds)} min, ${whole(one.executions)} executions, ${whole(one.edges)} edges, ${one.findings} findings`,
      )
      .join('; '),
  memory: ({ date, epochs, looks }) =>
    `${date}: ${whole(epochs)} epochs, resident ${looks[0].residentMebibytes} MiB after a tenth, ${looks.at(-1).residentMebibytes} at the end; tensors ${whole(looks.at(-1).tensorBytes)} bytes throughout`,
  coverage: ({ date, percent }) =>
    `${date}: ${Object.entries(percent)
      .map(([kind, value]) => `${kind} ${value} %`)
      .join(', ')}`,
};

const MARK = /(<!-- (\w+) -->)[^|]*?(<!-- \/ -->)/g;

/** The page with every `<!-- gate -->...<!-- / -->` filled anew. */
export function withResults(text) {
  return text.replace(MARK, (_all, begin, gate, end) => {
    const result = resultOf(gate);
    return `${begin} ${result === null ? 'not recorded yet' : WORDS[gate](result)} ${end}`;
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    writeFileSync(PAGE, withResults(readFileSync(PAGE, 'utf8')));
    say('docs/quality.md written');
  });
}
