// splitgrow doctor: what was found on this machine, what is missing, and what to do.
import { doctor, type Finding } from '../machine/doctor/doctor.js';
import { defineCommand } from './command.js';
import { type Column, table } from './table.js';

const FINDINGS: readonly Column<Finding>[] = [
  { title: 'checked', cell: ({ name }) => name },
  {
    title: 'state',
    cell: ({ state }) => state,
    paint: (style, { state }) =>
      state === 'ok' ? style.good : state === 'missing' ? style.bad : style.accent,
  },
  { title: 'found', cell: ({ found }) => found },
];

function remedies(findings: readonly Finding[]): readonly string[] {
  const open = findings.filter(({ remedy }) => remedy !== undefined);
  return [...new Set(open.map(({ name, remedy }) => `${name}: ${remedy}`))];
}

export const DOCTOR = defineCommand({
  name: 'doctor',
  summary: 'what was found on this machine, what is missing, and what to do',
  flags: {},
  examples: [
    ['splitgrow doctor', 'exit code 0 where splitgrow can work, 1 where something is missing'],
    ['splitgrow doctor --json', 'for a bug report'],
  ],
  run: async () => {
    const document = await doctor();
    const toDo = remedies(document.findings);
    return {
      document,
      exitCode: document.isReady ? 0 : 1,
      text: (style) =>
        [
          table(FINDINGS, document.findings, style),
          toDo.length === 0 ? 'Nothing to do.' : ['To do:', ...toDo.map((line) => `  ${line}`)].join('\n'),
        ].join('\n\n'),
    };
  },
});
