// npm run site: the pages of docs/ and the API reference as one site, build/site, by typedoc. `--out DIR` puts it elsewhere.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Application, Converter, KindRouter, PageEvent, ReflectionKind } from 'typedoc';
import { main, ROOT, StepError, say } from './steps.mjs';

const INDEX = join(ROOT, 'README.md');
const API = 'API';

/** Every page that the tables below "Documentation" in README.md list: its path, and the heading above its table. */
export function listedPages() {
  const [, text = ''] = readFileSync(INDEX, 'utf8').split(/^## Documentation$/m);
  return text.split(/^### /m).flatMap((section) => {
    const category = section.split('\n', 1)[0];
    return [...section.matchAll(/^\| \[[^\]]+\]\(([^)]+)\)/gm)].map(([, path]) => ({
      path: join(ROOT, path),
      category,
    }));
  });
}

/** The text of a document's first heading, by which the site names it. */
function titleOf(document) {
  const text = document.content.map((part) => part.text).join('');
  return /^# (.+)$/m.exec(text)?.[1] ?? document.name;
}

/** Pages of docs/x.md are documents/x.html; everything else is where typedoc has it. */
class Router extends KindRouter {
  getIdealBaseName(reflection) {
    const path = reflection.isDocument() ? pathOf(reflection) : '';
    return path === '' ? super.getIdealBaseName(reflection) : `documents/${nameOf(path)}`;
  }
}

/** The name of a page's file, of a README that of its folder. */
function nameOf(path) {
  return basename(path.endsWith('README.md') ? dirname(path) : path, '.md');
}

function pathOf(document) {
  return document.project.files.getReflectionPath(document) ?? '';
}

/** Names each page by its title and puts it where README.md has it. */
function arrange(app, pages) {
  const order = [...new Set(pages.map(({ category }) => category))];
  const category = new Map(pages.map((page) => [page.path, page.category]));
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    document.name = titleOf(document);
    document.frontmatter.category = category.get(pathOf(document)) ?? order[0];
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
      module.name = API;
      // A link to the source leads to the reference.
      project.files.registerReflectionPath(join(ROOT, 'lib', 'index.ts'), module);
    }
  });
  app.renderer.defineRouter('pages', Router);
  // A link to a folder would not open from a disk.
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = page.contents.replaceAll(/href="((?:\.\.\/)+|\.\/)"/g, 'href="$1index.html"');
  });
}

/** Builds the site into `out`; rejects where typedoc warns, so that a broken link or anchor is no site. */
export async function buildSite(out) {
  const pages = listedPages();
  const app = await Application.bootstrapWithPlugins({
    options: join(ROOT, 'typedoc.json'),
    out,
    name: 'splitgrow',
    readme: INDEX,
    projectDocuments: pages.map(({ path }) => path),
    categoryOrder: [...new Set(pages.map(({ category }) => category)), API, '*'],
    defaultCategory: API,
    router: 'pages',
    sort: ['source-order'],
    navigation: { includeCategories: true, includeGroups: false },
    validation: { invalidLink: true, invalidPath: true, notExported: false, notDocumented: false },
    highlightLanguages: ['json', 'js', 'ts', 'sh', 'python', 'cpp', 'yaml'],
    customCss: join(ROOT, 'scripts', 'site.css'),
    treatValidationWarningsAsErrors: true,
    skipErrorChecking: true,
    logLevel: 'Warn',
  });
  arrange(app, pages);
  const project = await app.convert();
  if (!project) throw new StepError('typedoc cannot read lib/index.ts: run npm run check');
  app.validate(project);
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new StepError('typedoc warns: see above');
}

if (process.argv[1] && basename(process.argv[1]) === 'site.mjs') {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: join(ROOT, 'build', 'site') } },
  });
  await main(async () => {
    await buildSite(values.out);
    say(`the site is ${join(values.out, 'index.html')}`);
    return 0;
  });
}
