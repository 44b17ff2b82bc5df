// The report's style sheet: light and dark, narrow and wide, screen and paper.
import { curveProperties, DARK_CURVES, LIGHT_CURVES } from './palette.js';

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --surface: #ffffff; --ink: #1d2129; --muted: #5c6370; --line: #d9dce2; --grid: #e3e5e9; --soft: #eef1f6;
  --c1: #2563c9; --c2: #d9730d; --c3: #0f8f6f; --c4: #a3439f; --c5: #a4a9b3; --on-accent: #ffffff; --good: #0f7a52; --bad: #b3261e;
  ${curveProperties(LIGHT_CURVES)}
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #111418; --surface: #191d23; --ink: #e6e9ee; --muted: #9aa3b0; --line: #343b45; --grid: #2b313a; --soft: #222831;
    --c1: #6ea3f5; --c2: #f2a154; --c3: #4cc3a0; --c4: #d58ad2; --c5: #77808d; --on-accent: #0d1117; --good: #4fcf9b; --bad: #ff8a80;
    ${curveProperties(DARK_CURVES)}
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 32px 20px 64px; }
header p { margin: 4px 0 0; color: var(--muted); }
h1 { font-size: 28px; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 44px 0 12px; }
h3 { font-size: 15px; margin: 0; }
.eyebrow { color: var(--muted); font-size: 13px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0 0; padding: 0; }
.tile { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.tile dt { color: var(--muted); font-size: 13px; }
.tile dd { margin: 0; }
.tile .value { font-size: 24px; font-weight: 600; line-height: 1.3; }
.tile .note { color: var(--muted); font-size: 13px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px; align-items: start; }
figure { margin: 0; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; }
figure svg { display: block; width: 100%; max-width: 480px; height: auto; margin: 10px auto 4px; }
figcaption { color: var(--muted); font-size: 13px; }
.note { color: var(--muted); }
.table { position: relative; }
.copy { display: none; justify-content: flex-end; gap: 6px; margin: 0 0 6px; }
.js .copy { display: flex; }
.copy button { font: inherit; font-size: 12px; line-height: 1; padding: 6px 9px; color: var(--muted); background: var(--surface);
  border: 1px solid var(--line); border-radius: 6px; cursor: pointer; }
.copy button:hover, .copy button:focus-visible { color: var(--ink); border-color: var(--muted); }
.tip { position: fixed; z-index: 2; max-width: min(320px, calc(100vw - 16px)); padding: 6px 9px; font-size: 13px; line-height: 1.35; pointer-events: none;
  color: var(--page); background: var(--ink); border-radius: 6px; }
.scroll { overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th, td { padding: 7px 8px; text-align: left; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 14px; } th:last-child, td:last-child { padding-right: 14px; }
th { color: var(--muted); font-weight: 600; border-bottom: 1px solid var(--line); }
tbody tr + tr td { border-top: 1px solid var(--grid); }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.text { white-space: normal; min-width: 15em; } .facts td { white-space: normal; overflow-wrap: anywhere; min-width: 14em; }
tr.rival td { background: var(--soft); }
tr.best td { font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); }
details { margin: 0 0 10px; }
summary { cursor: pointer; padding: 6px 0; font-weight: 600; }
summary .note { font-weight: 400; }
details .scroll { max-height: 420px; overflow-y: auto; }
pre { margin: 0; padding: 14px 16px; overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 8px;
  font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media (max-width: 560px) {
  main { padding: 20px 12px 40px; } h1 { font-size: 23px; } h2 { margin-top: 32px; }
  .tiles { grid-template-columns: 1fr 1fr; } .tile .value { font-size: 20px; } figure { padding: 12px 8px; } figure h3, figcaption { padding: 0 4px; }
  th, td { padding: 6px 9px; }
}
@media print {
  :root { color-scheme: light; --page: #fff; --surface: #fff; --ink: #000; --muted: #444; --line: #bbb; --grid: #ddd; --soft: #f3f3f3;
    --c1: #2563c9; --c2: #d9730d; --c3: #0f8f6f; --c4: #a3439f; --c5: #a4a9b3; --on-accent: #fff; --good: #0f7a52; --bad: #b3261e;
    ${curveProperties(LIGHT_CURVES)} }
  main { max-width: none; padding: 0; } figure, .tile, tr { break-inside: avoid; } h2 { break-after: avoid; }
  .js .copy, .tip { display: none; } .scroll { overflow: visible; } pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  .figures { grid-template-columns: 1fr 1fr; } details .scroll { max-height: none; } table { font-size: 9.5px; } th, td { padding: 2px 4px; white-space: normal; } .text, .facts td { min-width: 0; }
  th:first-child, td:first-child { padding-left: 6px; } th:last-child, td:last-child { padding-right: 6px; }
  details::details-content { content-visibility: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
