// node scripts/quality.mjs: writes the table of docs/contributing.md from the results that the gates recorded.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { resultOf } from './record.mjs';
import { main, ROOT, say } from './steps.mjs';

export const PAGE = join(ROOT, 'docs', 'contributing.md');

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
  fuzz: ({ targets }) => {
    const all = Object.values(targets);
    const sum = (key) => all.reduce((total, one) => total + one[key], 0);
    const latest = all
      .map(({ date }) => date)
      .sort()
      .at(-1);
    return `${latest}: ${all.length} targets, ${minutes(sum('seconds'))} min, ${whole(sum('executions'))} executions, ${sum('findings')} findings`;
  },
  memory: ({ date, epochs, looks }) =>
    `${date}: ${whole(epochs)} epochs, ${looks[0].residentMebibytes} MiB after a tenth, ${looks.at(-1).residentMebibytes} at the end`,
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
    say('docs/contributing.md written');
  });
}
