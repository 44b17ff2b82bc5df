// The report's only script: it copies tables as Markdown and CSV, and shows the values of a mark that is touched. The page works without it.
import { createHash } from 'node:crypto';

export const SCRIPT = `
(() => {
  'use strict';
  document.documentElement.classList.add('js');
  const words = (cell) => cell.textContent.trim().replace(/\\s+/g, ' ');
  const isNumber = (cell) => cell.classList.contains('n') && cell.tagName === 'TD';
  const number = (text) => (text === '–' ? '' : text.replace(/−/g, '-').replace(/(\\d),(?=\\d{3})/g, '$1').replace(/ %$/, ''));
  const quoted = (cell) => {
    if (isNumber(cell)) { const text = number(words(cell)); return /[",]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text; }
    const text = words(cell).replace(/^([=+\\-@])/, "'$1");
    return /[",]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  const rows = (table, write) => [...table.rows].map((row) => [...row.cells].map(write));
  const markdown = (table) => {
    const lines = rows(table, (cell) => words(cell).replace(/[\\\\|]/g, '\\\\$&'));
    const rule = [...table.rows[0].cells].map((cell) => (cell.classList.contains('n') ? '---:' : '---'));
    if (table.tHead === null) lines.unshift(rule.map(() => ''));
    lines.splice(1, 0, rule);
    return lines.map((cells) => '| ' + cells.join(' | ') + ' |\\n').join('');
  };
  const csv = (table) => rows(table, quoted).map((cells) => cells.join(',') + '\\n').join('');
  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch {
      const area = document.body.appendChild(document.createElement('textarea'));
      area.value = text;
      area.select();
      try { return document.execCommand('copy'); } finally { area.remove(); }
    }
  };
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('button[data-copy]');
    if (button === null) return;
    const table = button.closest('.table').querySelector('table');
    const isDone = await copy(button.dataset.copy === 'csv' ? csv(table) : markdown(table));
    const label = button.dataset.label ??= button.textContent;
    button.textContent = isDone ? 'copied' : 'not copied';
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.setAttribute('role', 'status');
  const show = (event) => {
    const mark = event.target.closest?.('svg [data-tip], svg :has(> title)');
    const title = mark?.querySelector(':scope > title');
    if (title) {
      mark.dataset.tip = title.textContent;
      mark.setAttribute('aria-label', title.textContent);
      title.remove();
    }
    const text = mark?.dataset?.tip;
    if (!text) { tip.remove(); return; }
    tip.textContent = text;
    document.body.append(tip);
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 12, document.documentElement.clientWidth - width - 8);
    const top = event.clientY - height - 12;
    tip.style.left = Math.max(8, left) + 'px';
    tip.style.top = (top < 8 ? event.clientY + 16 : top) + 'px';
  };
  document.addEventListener('pointerover', show);
  document.addEventListener('pointerdown', show);
})();
`;

/** What a content security policy calls an inline script. */
export function scriptSource(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}
