// The file that --class-names names: a name a line, or JSON.

import { SplitgrowError } from '../errors.js';
import { repeatedName, writableNames, wrongName } from '../graph/classes.js';
import { parseStrictJson } from '../machine/files/json.js';
import { readText } from '../machine/files/text-file.js';
import { note } from '../native/control.js';
import type { RunControl } from '../native/events.js';

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
