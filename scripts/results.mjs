// Keeps what `splitgrow reproduce` found: copies each figure's files into results/, and writes docs/results.md's tables from them.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { main, ROOT, say } from './steps.mjs';

const FILES = ['report.html', 'figure.json', 'summary.json', 'points.csv', 'curves.csv'];
export const KEPT = join(ROOT, 'results');
export const PAGE = join(ROOT, 'docs', 'results.md');

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
const whole = (value) => Math.round(value).toLocaleString('en-US');
const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
const spread = ({ mean, sd }, show) => (sd === null ? show(mean) : `${show(mean)} ± ${sd.toFixed(2)}`);
const inPanel = ({ panel, label }) => (panel === '' ? label : `${panel}: ${label}`);

/** Tables of a figure, by name: what its summary.json says, and nothing else. */
const TABLES = {
  claims: ({ claims }) =>
    table(
      ['claim', 'difference in points', 'seeds', 'here'],
      claims.map(({ claim, difference, verdict }) => [
        inPanel({ panel: claim.panel, label: claim.text }),
        difference === null ? '–' : spread(difference, signed),
        difference === null ? '–' : difference.n,
        verdict,
      ]),
    ),
  curves: ({ stages }) => {
    const labels = [...new Set(stages.map(inPanel))];
    const numbers = [...new Set(stages.map(({ stage }) => stage))].sort((a, b) => a - b);
    const cell = (label, stage) => {
      const found = stages.find((one) => inPanel(one) === label && one.stage === stage);
      if (found === undefined) return '';
      return `${spread(found.top1, (value) => value.toFixed(2))} at ${whole(found.macs.mean / 1000)}k`;
    };
    return table(
      ['top-1 % at MACs', ...numbers.map((stage) => `stage ${stage}`)],
      labels.map((label) => [label, ...numbers.map((stage) => cell(label, stage))]),
    );
  },
  costs: ({ costs }) =>
    table(
      ['method', 'fit s', 'search s', 'in training steps of the seed network'],
      costs.map((cost) => [
        inPanel(cost),
        ...[cost.fit, cost.search, cost.trainingSteps].map(({ mean }) => whole(mean)),
      ]),
    ),
};

const MARK = /(<!-- (\w+)\/([\w-]+) (\w+) -->\n)[\s\S]*?(\n<!-- end -->)/g;

/** The page with every table between its marks made anew: `<!-- cpu/fig3 curves -->` to `<!-- end -->`. */
export function withTables(text) {
  return text.replace(MARK, (_all, begin, scale, id, name, end) => {
    const summary = JSON.parse(readFileSync(join(KEPT, scale, id, 'summary.json'), 'utf8'));
    return `${begin}\n${TABLES[name](summary)}\n${end}`;
  });
}

function keep(from) {
  for (const scale of readdirSync(from)) {
    for (const id of readdirSync(join(from, scale)).filter((name) => name !== 'runs')) {
      const [source, target] = [join(from, scale, id), join(KEPT, scale, id)];
      if (!existsSync(join(source, 'summary.json'))) continue;
      mkdirSync(target, { recursive: true });
      for (const file of FILES) copyFileSync(join(source, file), join(target, file));
      say(`results/${scale}/${id}`);
    }
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    if (process.argv[2] !== undefined) keep(process.argv[2]);
    writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8')));
    return 0;
  });
}
