// The kinds of flag and argument: how a text becomes a value, and what is said when it cannot.

import { SplitgrowError } from '../errors.js';
import { FLOAT32, isFloat32 } from '../graph/float32.js';

export interface Flag<T> {
  /** What stands for the value in the help; null for a switch. */
  readonly value: string | null;
  readonly help: string;
  /** `previous` holds the values so far of a flag that may be given again. */
  readonly parse: (text: string, name: string, previous: unknown) => T;
  readonly fallback?: T;
  /** What the flag means where it is given without its value; left out where it needs one. */
  readonly alone?: T;
  readonly isRequired: boolean;
  readonly isRepeated: boolean;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;
/** The values of a table of flags, by name. */
export type Values<F> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

interface Range {
  readonly min?: number;
  readonly max?: number;
  /** The bounds themselves are not allowed. */
  readonly isOpen?: boolean;
}

function wrong(name: string, expected: string, text: string): SplitgrowError {
  return new SplitgrowError('E_USAGE', `${name}: expected ${expected}, got "${text}"`);
}

function flag<T>(value: string | null, help: string, parse: Flag<T>['parse']): Flag<T | undefined> {
  return { value, help, parse, isRequired: false, isRepeated: false };
}

export function text(value: string, help: string): Flag<string | undefined> {
  return flag(value, help, (given, name) => {
    if (given === '') throw wrong(name, `a ${value}`, given);
    return given;
  });
}

export function choice<const T extends string>(choices: readonly T[], help: string): Flag<T | undefined> {
  return flag(choices.join('|'), help, (given, name) => {
    const found = choices.find((one) => one === given);
    if (found === undefined) throw wrong(name, `one of ${choices.join(', ')}`, given);
    return found;
  });
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function describe(kind: string, { min, max, isOpen = false }: Range): string {
  if (min !== undefined && max !== undefined)
    return `${kind} ${isOpen ? 'between' : 'from'} ${min} ${isOpen ? 'and' : 'to'} ${max}`;
  if (min !== undefined) return `${kind} ${isOpen ? 'above' : 'of at least'} ${min}`;
  return max === undefined ? kind : `${kind} ${isOpen ? 'below' : 'of at most'} ${max}`;
}

function isWithin(value: number, { min = -Infinity, max = Infinity, isOpen = false }: Range): boolean {
  return isOpen ? value > min && value < max : value >= min && value <= max;
}

export function number(value: string, help: string, range: Range = {}): Flag<number | undefined> {
  return flag(value, help, (given, name) => {
    const parsed = readNumber(given, range);
    if (Number.isNaN(parsed)) throw wrong(name, describe(kindOf(given), range), given);
    return parsed;
  });
}

/** What a number must be: that float32 holds it goes without saying where it does. */
function kindOf(given: string): string {
  return NUMBER.test(given.trim()) && !isFloat32(Number(given)) ? FLOAT32 : 'a number';
}

function readNumber(given: string, range: Range): number {
  const parsed = NUMBER.test(given) ? Number(given) : Number.NaN;
  return isFloat32(parsed) && isWithin(parsed, range) ? parsed : Number.NaN;
}

/** Numbers with commas between them. */
export function numbers(value: string, help: string, range: Range = {}): Flag<readonly number[] | undefined> {
  return flag(value, help, (given, name) => {
    const parsed = given.split(',').map((one) => readNumber(one.trim(), range));
    if (parsed.some(Number.isNaN))
      throw wrong(
        name,
        `numbers with commas between them, each ${describe(
          given
            .split(',')
            .map(kindOf)
            .find((kind) => kind === FLOAT32) ?? 'a number',
          range,
        )}`,
        given,
      );
    return parsed;
  });
}

export function integer(value: string, help: string, range: Range = { min: 0 }): Flag<number | undefined> {
  return flag(value, help, (given, name) => {
    const parsed = /^[+-]?\d+$/.test(given) ? Number(given) : Number.NaN;
    if (!Number.isSafeInteger(parsed) || !isWithin(parsed, range))
      throw wrong(name, describe('a whole number', range), given);
    return parsed;
  });
}

/** A flag without a value: given or not. */
export function toggle(help: string): Flag<boolean> {
  return { value: null, help, parse: () => true, fallback: false, isRequired: false, isRepeated: false };
}

/** May be given several times; the values come in order. */
export function repeated(
  value: string,
  help: string,
  parse: (text: string, name: string) => string,
): Flag<readonly string[]> {
  return {
    value,
    help,
    parse: (given, name, previous) => [
      ...((previous as readonly string[] | undefined) ?? []),
      parse(given, name),
    ],
    fallback: [],
    isRequired: false,
    isRepeated: true,
  };
}

export function required<T>(optional: Flag<T>): Flag<Exclude<T, undefined>> {
  return { ...(optional as Flag<Exclude<T, undefined>>), isRequired: true };
}

/** A flag whose value may be left out. */
export function withAlone<T>(optional: Flag<T>, alone: NoInfer<Exclude<T, undefined>>): Flag<T> {
  return { ...optional, alone };
}

export function withDefault<T>(
  optional: Flag<T>,
  fallback: NoInfer<Exclude<T, undefined>>,
): Flag<Exclude<T, undefined>> {
  return { ...(optional as Flag<Exclude<T, undefined>>), fallback };
}
