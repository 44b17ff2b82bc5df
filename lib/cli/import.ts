// splitgrow import: a network directory from the weights of torchvision or timm.

import { importWeights } from '../api/import.js';
import { SplitgrowError } from '../errors.js';
import { repeatedName, writableNames, wrongName } from '../graph/classes.js';
import { parseStrictJson } from '../machine/files/json.js';
import { readText } from '../machine/files/text-file.js';
import { NAMES } from '../models/names.js';
import { note } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import { integer } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { choice, integer as count, required, text } from './flags.js';
import { PRESET_FLAGS, presetOptions } from './shared-flags.js';
import { facts } from './table.js';

const LIBRARIES = ['torchvision', 'timm'] as const;
const presets = [...new Set(Object.values(NAMES).flatMap((maps) => Object.keys(maps)))];

const FLAG = '--class-names';

function refuse(file: string, problem: string): SplitgrowError {
  return new SplitgrowError('E_FILE', `${FLAG} ${file}: ${problem}`);
}

/** A list of names, or an object from every number of a class to its name. */
function namesInJson(value: unknown, file: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const byNumber = new Map(members);
  const inOrder = members.map((_, at) => byNumber.get(String(at)));
  if (inOrder.length > 0 && !inOrder.includes(undefined)) return inOrder;
  throw refuse(file, 'expected a JSON list of names, or an object of names by number from 0');
}

/** The JSON of a text that is some; undefined where it is lines. */
function jsonOf(text: string, file: string): unknown {
  const isJson = file.toLowerCase().endsWith('.json');
  if (!isJson && !/^\s*[[{]/.test(text)) return undefined;
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (!isJson) return undefined;
    throw refuse(file, `expected JSON; ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Names of classes in the order of their numbers. Empty lines at the end count for nothing; blanks around a name neither. A
 * name of several classes gets their numbers behind it, as in training, and that is told.
 *
 * @throws E_FILE naming the file, and the line, of what is no name; where it is missing or not UTF-8
 */
export async function readClassNames(file: string, control: RunControl): Promise<readonly string[]> {
  const text = await readText(file);
  if (text === null) throw refuse(file, 'expected a text file, it is not there');
  const json = jsonOf(text, file);
  const lines = text.trimEnd().split(/\r\n|\r|\n/);
  const given = json === undefined ? lines : namesInJson(json, file);
  const names = given.map((name) => (typeof name === 'string' ? name.trim() : name));
  names.forEach((name, at) => {
    const fault = wrongName(name);
    if (fault === undefined) return;
    throw refuse(file, `${json === undefined ? `line ${at + 1}` : `name ${at}`}: a class name ${fault}`);
  });
  const written = names.map(String);
  const repeated = repeatedName(written);
  if (repeated === null) return written;
  const { name, first, second } = repeated;
  const told = writableNames(written);
  note(
    control,
    0,
    'load',
    `${file}: "${name}" is the name of classes ${first} and ${second}; names that come again get the number of their class: "${told[first]}", "${told[second]}"`,
  );
  return told;
}

/** "0.5,0.5,0.5" */
function numbers(given: string | undefined, name: string): readonly number[] | undefined {
  if (given === undefined) return undefined;
  const list = given.split(',').map((word) => (word.trim() === '' ? Number.NaN : Number(word)));
  if (list.every(Number.isFinite)) return list;
  throw new SplitgrowError('E_USAGE', `${name}: expected numbers with commas between, got "${given}"`);
}

export const IMPORT = defineCommand({
  name: 'import',
  endsAnywhere: true,
  summary: 'a network directory from the weights of a torchvision or timm model',
  flags: {
    weights: required(text('FILE', 'safetensors file of its state dict')),
    from: required(choice(LIBRARIES, 'the library that the model is of')),
    preset: required(text('NAME', `the preset that it is (${presets.join(', ')})`)),
    out: required(text('DIR', 'directory of the new network')),
    ...PRESET_FLAGS,
    mean: text('LIST', "mean of each channel that was subtracted from pixels / 255 (default: the library's)"),
    std: text(
      'LIST',
      "standard deviation of each channel that they were divided by (default: the library's)",
    ),
    shortSide: count('N', 'shorter side of images in files before the centre crop (default: 256 at 224)', {
      min: 1,
    }),
    classNames: text('FILE', 'text file with a name a line, or JSON, as many as the weights have classes'),
  },
  examples: [
    [
      'splitgrow import --weights v2.safetensors --from torchvision --preset mobilenet_v2 --out v2',
      'torchvision.models.mobilenet_v2, its classes told by the weights',
    ],
    [
      'splitgrow import --weights v1.safetensors --from timm --preset mobilenet_v1 --width 1.25 --resolution 256 --out v1',
      'mobilenetv1_125 of timm, to be fed images of 256 pixels',
    ],
  ],
  run: async ({ weights, from, preset, out, mean, std, shortSide, classNames, ...values }, { control }) => {
    const options = {
      ...{ weights, from, preset, out, options: presetOptions(values) },
      ...{ mean: numbers(mean, '--mean'), std: numbers(std, '--std'), shortSide },
      classNames: classNames === undefined ? undefined : await readClassNames(classNames, control),
    };
    const document = await importWeights(options, control);
    return {
      document,
      text: (style) =>
        facts(
          [
            ['tensors', integer(document.tensors)],
            ['ignored', integer(document.ignored)],
            ['MACs', integer(document.macs)],
            ['parameters', integer(document.params)],
            ['written to', document.directory],
          ],
          style,
        ),
    };
  },
});
