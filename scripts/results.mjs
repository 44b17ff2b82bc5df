// Keeps what `splitgrow reproduce` found.
// node scripts/results.mjs DIR: copies each figure's files from DIR into results/, and writes docs/results.md's tables from them.
// node scripts/results.mjs --pages OUT: makes the report of every kept figure, from its figure.json, in OUT/<scale>/<figure>.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { main, ROOT, say } from './steps.mjs';

const [{ multiplyAdds }, { standardError }, { verdictOf }] = await Promise.all(
  ['format', 'spread', 'verdict'].map((name) => import(`../dist/statistics/${name}.js`)),
);

const FILES = ['figure.json', 'summary.json', 'points.csv', 'curves.csv'];
export const KEPT = join(ROOT, 'results');
export const PAGE = join(ROOT, 'docs', 'results.md');

const row = (cells) => cells.join(' | ');
const table = (head, rows) => [row(head), head.map(() => '---').join('|'), ...rows.map(row)].join('\n');
const whole = (value) => Math.round(value).toLocaleString('en-US');
const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
const spread = ({ mean, sd }, show) => (sd === null ? show(mean) : `${show(mean)} ± ${sd.toFixed(2)}`);

const withError = (found) => ({ ...found, sd: standardError(found) });
const inPanel = ({ panel, label }) => (panel === '' ? label : `${panel}: ${label}`);

/** A cell that tells figures apart, in a table of several. */
const figureColumn = (figures, text) => (figures.length > 1 ? [text] : []);

/** Tables by name, of one figure or several: what their summary.json say, and nothing else. */
const TABLES = {
  /** What the paper claims, and what came out here. */
  claims: (figures) =>
    table(
      [...figureColumn(figures, 'figure'), 'claim', 'difference in points', 'seeds', 'here'],
      figures.flatMap(({ id, claims }) =>
        claims.map(({ claim, difference }) => [
          ...figureColumn(figures, id),
          claim.panel === '' ? claim.text : `${claim.text} (${claim.panel})`,
          difference === null ? '–' : spread(withError(difference), signed),
          difference === null ? '–' : difference.n,
          verdictOf(difference, claim.relation),
        ]),
      ),
    ),
  /** The network at the end of each curve. */
  ends: (figures) =>
    withCompute(
      ['curve', 'MACs', 'top-1 %'],
      endsOf(figures).map(({ cells: [label, macs, , top1], compute }) => [label, macs, compute, top1]),
    ),
  /** Every network of each curve. */
  stages: (figures) =>
    table(
      ['curve', 'stage', 'MACs', 'top-1 %', 'seeds'],
      figures.flatMap(({ stages }) =>
        stages.map((row) => [
          inPanel(row),
          row.stage ?? '–',
          `${whole(row.macs.mean / 1000)}k`,
          spread(withError(row.top1), (value) => value.toFixed(2)),
          row.top1.n,
        ]),
      ),
    ),
  /** The network at the end of each curve, with the seconds of the whole way to it. */
  efforts: (figures) =>
    withCompute(
      ['curve', 'MACs', 'epochs', 'top-1 %', 'training s', 'search s'],
      endsOf(figures).map(({ cells: [label, macs, ...cells], compute, figure: { costs } }) => {
        const { fit, search } = costs.find((cost) => inPanel(cost) === label);
        return [label, macs, compute, ...cells, whole(fit.mean), whole(search.mean)];
      }),
    ),
};

/** A table with a column of multiply-adds behind the MACs, which figures of older versions do not have. */
function withCompute(head, rows) {
  const isKnown = rows.some(([, , compute]) => compute !== '–');
  const titles = head.toSpliced(2, 0, 'compute');
  return isKnown
    ? table(titles, rows)
    : table(
        head,
        rows.map((cells) => cells.toSpliced(2, 1)),
      );
}

/** Cells of each curve's last network; curves that end in the same numbers share one row. */
function endsOf(figures) {
  const rows = new Map();
  for (const figure of figures) {
    const last = new Map();
    for (const row of figure.stages) {
      if ((last.get(inPanel(row))?.stage ?? -1) < row.stage) last.set(inPanel(row), row);
    }
    for (const [label, { macs, epochs, top1, compute }] of last) {
      const accuracy = spread(withError(top1), (value) => value.toFixed(2));
      const numbers = [`${whole(macs.mean / 1000)}k`, epochs === null ? '–' : whole(epochs.mean), accuracy];
      if (rows.has(numbers.join())) continue;
      rows.set(numbers.join(), {
        ...{ cells: [label, ...numbers], figure },
        compute: compute ? multiplyAdds(compute.mean) : '–',
      });
    }
  }
  return [...rows.values()];
}

const MARK = /(<!-- (\w+)\/([\w,-]+) (\w+) -->\n)[\s\S]*?(\n<!-- end -->)/g;

/** The page with every table between its marks made anew: `<!-- cpu/fig3,fig4a claims -->` to `<!-- end -->`. */
export function withTables(text) {
  return text.replace(MARK, (_all, begin, scale, ids, name, end) => {
    const figures = ids
      .split(',')
      .map((id) => JSON.parse(readFileSync(join(KEPT, scale, id, 'summary.json'), 'utf8')));
    return `${begin}\n${TABLES[name](figures)}\n${end}`;
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

/** Makes report.html and the plots of every kept figure. Certificates and index plots need the folders of the runs, and are left out. */
export async function makePages(out) {
  const { renderFigure } = await import('../dist/report/figure/write.js');
  for (const scale of foldersIn(KEPT)) {
    for (const id of foldersIn(join(KEPT, scale))) {
      const target = join(out, scale, id);
      mkdirSync(target, { recursive: true });
      copyFileSync(join(KEPT, scale, id, 'figure.json'), join(target, 'figure.json'));
      const [page] = await renderFigure(target);
      say(page);
    }
  }
}

const foldersIn = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    const [from, out] = process.argv.slice(2);
    if (from === '--pages') {
      if (out === undefined) throw new Error('--pages: expected a folder for the pages, got none');
      await makePages(out);
      return 0;
    }
    if (from !== undefined) keep(from);
    writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8')));
    return 0;
  });
}
