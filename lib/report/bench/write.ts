// Writes what bench splitting leaves in its folder: numbers, tables, page, plots.
import { join } from 'node:path';
import type { SplittingBenchDocument } from '../../bench/documents.js';
import { writeFileAtomic } from '../../machine/files/atomic.js';
import { writeJson } from '../page/files.js';
import { drawSvg, standaloneSvg } from '../page/svg.js';
import type { Drawn } from '../run/page.js';
import { splittingCsv } from './csv.js';
import { splittingMarkdown } from './markdown.js';
import { splittingPage } from './page.js';
import { splittingPlots } from './plots.js';

/** splitting.json, .csv, .md, .html, and a .svg a plot; each replaced as a whole. @returns their paths */
export async function writeSplittingBench(
  document: SplittingBenchDocument,
  folder: string,
): Promise<readonly string[]> {
  const at = (name: string): string => join(folder, name);
  const plots: Drawn[] = [];
  for (const figure of splittingPlots(document)) {
    plots.push({ ...figure, svg: await drawSvg(figure.spec, { id: figure.id, label: figure.title }) });
  }
  const texts = {
    'splitting.csv': splittingCsv(document),
    'splitting.md': splittingMarkdown(document),
    'splitting.html': splittingPage(document, plots),
    ...Object.fromEntries(plots.map(({ id, svg }) => [`${id}.svg`, standaloneSvg(svg)])),
  };
  const json = await writeJson(at('splitting.json'), document);
  for (const [name, text] of Object.entries(texts)) await writeFileAtomic(at(name), text);
  return [json, ...Object.keys(texts).map(at)];
}
