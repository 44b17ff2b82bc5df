// `splitgrow cost` from the outside: presets, directories, JSON, tables, hostile networks, a reader that goes away.
import { spawn } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorLine, MAIN, splitgrow, temporaryFolder } from './command-line.js';

const NETWORK = {
  format: 'splitgrow-network/1',
  name: 'tiny',
  input: { shape: [1, 8, 8] },
  nodes: [
    { id: 'stem', op: 'conv2d', inputs: ['input'], out: 1200, kernel: 1 },
    { id: 'act', op: 'activation', inputs: ['stem'], kind: 'relu' },
    { id: 'pool', op: 'global_avg_pool', inputs: ['act'] },
    { id: 'classifier', op: 'linear', inputs: ['pool'], out: 10 },
  ],
  output: 'classifier',
};

function networkFolder(content: unknown): string {
  const folder = join(temporaryFolder(), 'net');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'network.json'),
    typeof content === 'string' ? content : JSON.stringify(content),
  );
  return folder;
}

function withNode(at: number, change: Record<string, unknown>): unknown {
  return {
    ...NETWORK,
    nodes: NETWORK.nodes.map((node, place) => (place === at ? { ...node, ...change } : node)),
  };
}

interface CostDocument {
  readonly macs: number;
  readonly params: number;
  readonly flops2x: number;
  readonly nodes: readonly { readonly id: string; readonly macs: number }[];
  readonly groups: readonly {
    readonly id: string;
    readonly marginalMacs: number;
    readonly producers: readonly string[];
  }[];
}

test('--json prints one JSON document and nothing else', async () => {
  const { code, stdout, stderr } = await splitgrow(['cost', '--network', 'mobilenet_v1', '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const document = JSON.parse(stdout) as CostDocument;
  expect(document.macs).toBe(568_740_352);
  expect(document.nodes.reduce((sum, node) => sum + node.macs, 0)).toBe(document.macs);
});

test('the options of a preset reach it', async () => {
  const words = ['cost', '--network', 'mobilenet_cifar10', '--json'];
  const [plain, other] = await Promise.all(
    [
      words,
      [...words, '--blocks', '6', '--width', '16', '--channels', '1', '--classes', '3', '--resolution', '28'],
    ].map(async (line) => JSON.parse((await splitgrow(line)).stdout) as CostDocument),
  );
  expect(plain?.nodes.filter(({ id }) => id.endsWith('_pw'))).toHaveLength(4);
  expect(other?.nodes.filter(({ id }) => id.endsWith('_pw'))).toHaveLength(7);
  // 28 x 28 positions, 3 x 3 weights, one channel in, 16 out.
  expect(other?.nodes.find(({ id }) => id === 'stem')?.macs).toBe(28 * 28 * 9 * 16);
});

test('a directory with a network.json is a network, counted by hand here', async () => {
  const { stdout } = await splitgrow(['cost', '--network', networkFolder(NETWORK), '--json']);
  const document = JSON.parse(stdout) as CostDocument;
  expect(document.macs).toBe(8 * 8 * 1200 + 1200 * 10);
  // An activation on every value, a bias on every logit.
  expect(document.flops2x).toBe(2 * document.macs + 8 * 8 * 1200 + 10);
  expect(document.groups).toEqual([
    { id: 'stem', neurons: 1200, marginalMacs: 64 + 10, producers: ['stem'] },
  ]);
});

test('the table is plain, aligned and the same in any terminal width under a pipe', async () => {
  const words = ['cost', '--network', networkFolder(NETWORK)];
  const [one, other] = await Promise.all([
    splitgrow(words, { COLUMNS: '40' }),
    splitgrow(words, { COLUMNS: '300', TERM: 'xterm-256color' }),
  ]);
  expect(one.stdout).toBe(other.stdout);
  expect(one.stdout).toBe(
    [
      'node        op                 MACs  parameters',
      'stem        conv2d           76,800       1,200',
      'act         activation            0           0',
      'pool        global_avg_pool       0           0',
      'classifier  linear           12,000      12,010',
      '',
      'group  neurons  MACs of one more  producers',
      'stem     1,200                74  stem',
      '',
      'MACs        88,800',
      'parameters  13,210',
      'flops2x     254,410',
      '',
    ].join('\n'),
  );
});

const ESCAPE = '\u001b';
const HOSTILE: readonly (readonly [claim: string, content: unknown, code: RegExp])[] = [
  ['no JSON', '{ "format": ', /^E_GRAPH_FORMAT$/],
  ['an empty file', '', /^E_GRAPH_FORMAT$/],
  ['a list', [], /^E_GRAPH_FORMAT$/],
  ['another format', { ...NETWORK, format: 'other/9' }, /^E_GRAPH_FORMAT$/],
  ['an unknown field', { ...NETWORK, widht: 3 }, /^E_GRAPH_FORMAT$/],
  ['an unknown op', withNode(0, { op: 'convolution' }), /^E_GRAPH_OP$/],
  ['an op named like a member of every object', withNode(0, { op: '__proto__' }), /^E_GRAPH_OP$/],
  ['an unknown field of a node', withNode(0, { kernal: 3 }), /^E_GRAPH_FIELD$/],
  ['a width of a quadrillion', withNode(0, { out: 1e15 }), /^E_GRAPH_/],
  ['a width that is a text', withNode(0, { out: '8' }), /^E_GRAPH_FIELD$/],
  ['an input that does not exist', withNode(1, { inputs: ['nowhere'] }), /^E_GRAPH_INPUT$/],
  ['a cycle', withNode(0, { inputs: ['act'] }), /^E_GRAPH_INPUT$/],
  [
    'an id with line breaks and escapes',
    withNode(0, { id: `a\nsplitgrow: E_FAKE: b${ESCAPE}[31m` }),
    /^E_GRAPH_/,
  ],
  ['an output that does not exist', { ...NETWORK, output: 'x' }, /^E_GRAPH_OUTPUT$/],
];

describe('a hostile network.json ends with exit code 2 and one line', () => {
  test.each(HOSTILE)('%s', async (_claim, content, code) => {
    const ended = await splitgrow(['cost', '--network', networkFolder(content)]);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 2, stdout: '' });
    expect(errorLine(ended)?.code).toMatch(code);
    expect(ended.stderr).not.toContain(ESCAPE);
  });
});

test('a folder goes before the preset of the same name', async () => {
  const folder = networkFolder(NETWORK);
  const named = join(dirname(folder), 'mobilenet_v1');
  renameSync(folder, named);
  const ended = await splitgrow(['cost', '--network', 'mobilenet_v1', '--json'], {}, dirname(folder));
  expect((JSON.parse(ended.stdout) as CostDocument).macs).toBe(88_800);
});

test('a folder without network.json is said to be neither network nor preset', async () => {
  const ended = await splitgrow(['cost', '--network', temporaryFolder()]);
  expect(ended.code).toBe(2);
  expect(errorLine(ended)?.text).toMatch(/network\.json|preset/);
});

test('a reader that goes away ends it quietly', async () => {
  const script = `"${process.execPath}" "${MAIN}" cost --network mobilenet_v2 --json | head -c 1; echo " $\{PIPESTATUS[0]}"`;
  const ended = await new Promise<{ out: string; error: string }>((resolve) => {
    const shell = spawn('bash', ['-c', script]);
    let out = '';
    let error = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    shell.stderr.setEncoding('utf8').on('data', (text: string) => {
      error += text;
    });
    shell.on('close', () => resolve({ out, error }));
  });
  expect(ended).toEqual({ out: '{ 0\n', error: '' });
});
