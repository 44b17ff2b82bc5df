// The Python module beside exported weights rebuilds the network: its logits in PyTorch are ours.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportNetwork } from '../../lib/api/export.js';
import { allGraphs, type Case, writeCase } from './cases.js';
import { torchPython } from './python.js';

/** Of the largest logit; reason as in onnx.test.ts. */
const RTOL = 2e-5;

/** Imports every module, runs it on its images and prints the largest differences by the largest logit. */
const COMPARE = `
import importlib.util, json, sys, torch
torch.set_num_threads(1)
found = []
for case in json.load(sys.stdin):
    spec = importlib.util.spec_from_file_location("net", case["loader"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.load()
    images = torch.frombuffer(bytearray(open(case["images"], "rb").read()), dtype=torch.float32).reshape(case["shape"])
    with torch.no_grad():
        got = model(images).double()
    want = torch.tensor(case["logits"], dtype=torch.float64)
    found.append(((got - want).abs().max() / want.abs().max().clamp_min(1e-6)).item())
print(json.dumps(found))
`;

const torch = torchPython();
let folder = '';
const cases: Case[] = [];
const asked: { loader: string }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'splitgrow-pytorch-'));
  const graphs = torch.reason === '' ? allGraphs() : allGraphs().slice(0, 1);
  for (const [i, graph] of graphs.entries()) {
    const one = await writeCase(graph, join(folder, String(i)), i + 1);
    cases.push(one);
    const images = join(one.directory, 'images.raw');
    await writeFile(images, one.images.data);
    const { formats } = await exportNetwork({
      network: one.directory,
      safetensors: join(one.directory, 'net.safetensors'),
    });
    const asking = { images, shape: one.images.shape, logits: one.logits };
    asked.push({ loader: formats.safetensors?.loader ?? '', ...asking });
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the module is Python, and the same for every network but for its first comment', async () => {
  for (const { loader } of asked.slice(0, 2)) {
    const { status, stderr } = spawnSync('python3', ['-m', 'py_compile', loader], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }
  const texts = await Promise.all(asked.map(({ loader }) => readFile(loader, 'utf8')));
  expect(new Set(texts.map((text) => text.slice(text.indexOf('\n')))).size).toBe(1);
});

test.skipIf(torch.reason !== '')(`its logits are ours, for every op and preset${torch.reason}`, () => {
  const told = execFileSync(torch.command, ['-c', COMPARE], {
    env: torch.env,
    input: JSON.stringify(asked),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  for (const [i, difference] of (JSON.parse(told) as number[]).entries())
    expect(difference, cases[i]?.graph.name).toBeLessThan(RTOL);
});

test('a module that somebody wrote is not replaced by the loader', async () => {
  const loader = join(folder, 'model.py');
  await writeFile(loader, 'print("mine")\n');
  const network = cases[0]?.directory ?? '';
  await expect(
    exportNetwork({ network, safetensors: join(folder, 'model.safetensors') }),
  ).rejects.toMatchObject({
    code: 'E_WRITE',
    message: expect.stringContaining('model.py'),
  });
  expect(await readFile(loader, 'utf8')).toBe('print("mine")\n');
});
