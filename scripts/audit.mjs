// npm run audit: known advisories on what is installed with the package, and on the tools. Exit code 0: none; 1: some; 2: nobody could be asked.

import { recordResult, today } from './record.mjs';
import { main, ROOT, run, say } from './steps.mjs';

/** What npm audit found, or why it found nothing out. */
async function audit(words) {
  const { output } = await run('npm', ['audit', '--json', ...words], { quiet: true, cwd: ROOT });
  const json = output.slice(output.indexOf('{'));
  let document;
  try {
    document = JSON.parse(json);
  } catch {
    return { why: output.trim().slice(0, 300) };
  }
  if (document.auditReportVersion === undefined)
    return { why: String(document.message ?? output).slice(0, 300) };
  return { advisories: Object.values(document.vulnerabilities) };
}

const WHAT = [
  { name: 'at run time', words: ['--omit=dev'] },
  { name: 'with the tools', words: [] },
];

await main(async () => {
  const counts = {};
  for (const { name, words } of WHAT) {
    const { advisories, why } = await audit(words);
    if (advisories === undefined) {
      const reason = why.replace(/https?:\/\/\S+/g, 'the advisories address');
      say(`nothing was audited: the npm registry in use serves no advisories (${reason})`);
      say('run it again where npm uses a registry that does');
      recordResult('audit', () => ({ date: today(), audited: false, reason }));
      return 2;
    }
    for (const { name: dependency, severity, range } of advisories)
      say(`${dependency} ${range}: ${severity} (npm audit says more)`);
    say(`${name}: ${advisories.length} advisories`);
    counts[name] = advisories.length;
  }
  recordResult('audit', () => ({ date: today(), audited: true, advisories: counts }));
  return Object.values(counts).some((count) => count > 0) ? 1 : 0;
});
