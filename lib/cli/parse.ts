// From the COMMANDS table to commander's program, and commander's complaints to E_USAGE.
import { Argument, Command as Commander, type CommanderError, Option } from 'commander';
import { SplitgrowError } from '../errors.js';
import { COMMON_FLAGS, type Command, type Given } from './command.js';
import type { Flag, Flags } from './flags.js';

const INDENT = '  ';

/** learningRate -> --learning-rate */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function toOption(key: string, flag: Flag<unknown>): Option {
  const name = flagName(key);
  const [open, close] = flag.alone === undefined ? ['<', '>'] : ['[', ']'];
  const option = new Option(
    flag.value === null ? name : `${name} ${open}${flag.value}${close}`,
    `${flag.help}${flag.isRequired ? ' (required)' : ''}${flag.isRepeated ? ' (repeatable)' : ''}`,
  );
  if (flag.value !== null)
    option.argParser((given: string, previous: unknown) => flag.parse(given, name, previous));
  if (flag.alone !== undefined) option.preset(String(flag.alone));
  if (!flag.isRepeated && flag.fallback !== undefined && flag.value !== null) option.default(flag.fallback);
  return option;
}

function toArgument(key: string, flag: Flag<unknown>): Argument {
  const name = (flag.value ?? key) + (flag.isRepeated ? '...' : '');
  const argument = new Argument(flag.isRequired ? `<${name}>` : `[${name}]`, flag.help);
  return argument.argParser((given: string, previous: unknown) => flag.parse(given, name, previous));
}

function entriesOf(flags: Flags): readonly (readonly [string, Flag<unknown>])[] {
  return Object.entries(flags);
}

function examplesOf(command: Command): string {
  const lines = command.examples.flatMap(([line, does]) => [`${INDENT}# ${does}`, `${INDENT}${line}`]);
  return ['', 'Examples:', ...lines].join('\n');
}

/** Commander looks for required flags before unknown ones, and so would report a misspelt flag as a missing one. This looks later. */
function refuseMissing(command: Command, given: Given): void {
  for (const [key, { isRequired, value }] of entriesOf(command.flags)) {
    if (isRequired && given[key] === undefined) {
      throw new SplitgrowError(
        'E_USAGE',
        `expected ${flagName(key)} ${value}, found none; see splitgrow ${command.name} --help`,
      );
    }
  }
}

/** Commands `group word` of a group. */
function membersOf(group: string | undefined, commands: readonly Command[]): readonly Command[] {
  return commands.filter(({ name }) => name.startsWith(`${group} `));
}

function summaryOf(group: string, commands: readonly Command[]): string {
  const words = membersOf(group, commands).map(({ name }) => name.slice(group.length + 1));
  return `${words.join(', ')}: see splitgrow ${group} --help`;
}

/** In `bench --json splitting` commander gives the flag to `bench`, where nobody reads it. */
function refuseEarly({ name }: Command, parent: Commander): void {
  const early = Object.keys(parent.opts()).find((key) => parent.getOptionValueSource(key) === 'cli');
  if (early === undefined) return;
  throw new SplitgrowError(
    'E_USAGE',
    `${flagName(early)}: expected after "${name}", found before its last word; move it to the end`,
  );
}

interface ProgramParts {
  /** Gets the command and its values. */
  readonly execute: (command: Command, given: Given) => Promise<void>;
  /** Gets help, or the version, where that is asked for. */
  readonly writeHelp: (text: string) => void;
}

/** Commander's program over a table of commands. */
export function buildProgram(
  commands: readonly Command[],
  version: string,
  { execute, writeHelp }: ProgramParts,
): Commander {
  const program = new Commander('splitgrow')
    .description(
      'Grows small, accurate convolutional networks within a budget, by splitting steepest descent.',
    )
    .version(version)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: writeHelp })
    .showSuggestionAfterError()
    .enablePositionalOptions();
  const made = new Map<string, Commander>();
  for (const command of commands) {
    const [last = '', group] = command.name.split(' ').reverse();
    const parent = group === undefined ? program : (made.get(group) ?? program.command(group));
    if (group !== undefined && !made.has(group))
      made.set(group, parent.description(summaryOf(group, commands)));
    // A group may be a command itself: flags behind the second word are the second word's (the program has it too).
    if (group !== undefined) parent.enablePositionalOptions();
    const built = (made.get(command.name) ?? parent.command(last)).description(command.summary);
    made.set(command.name, built);
    for (const [key, flag] of entriesOf(command.arguments)) built.addArgument(toArgument(key, flag));
    for (const [key, flag] of entriesOf({ ...command.flags, ...COMMON_FLAGS }))
      built.addOption(toOption(key, flag));
    built.addHelpText('after', examplesOf(command));
    built.action(async () => {
      const values: Record<string, unknown> = {};
      for (const [key, flag] of entriesOf({ ...command.flags, ...COMMON_FLAGS })) values[key] = flag.fallback;
      entriesOf(command.arguments).forEach(([key], place) => {
        values[key] = built.processedArgs[place];
      });
      const given = { ...values, ...built.opts() } as Given;
      if (group !== undefined) refuseEarly(command, parent);
      refuseMissing(command, given);
      await execute(command, given);
    });
  }
  program.addHelpText(
    'after',
    '\nsplitgrow COMMAND --help tells its flags, with examples. docs/quick-start.md walks through a whole run, docs/reference.md lists all fields.',
  );
  return program;
}

/** What commander found wrong, in one line with what to do; null where it only printed help or the version. */
export function usageError(
  error: CommanderError,
  argv: readonly string[],
  commands: readonly Command[],
): SplitgrowError | null {
  if (error.exitCode === 0) return null;
  const named = commands
    .filter(({ name }) => `${argv.join(' ')} `.startsWith(`${name} `))
    .sort((a, b) => b.name.length - a.name.length)[0];
  const members = membersOf(argv[0], commands);
  const place = named?.name ?? (members.length > 0 ? argv[0] : undefined);
  const help = place === undefined ? 'splitgrow --help' : `splitgrow ${place} --help`;
  if (error.code === 'commander.help') {
    const known = (members.length > 0 ? members : commands).map(({ name }) => name);
    return new SplitgrowError('E_USAGE', `expected a command: ${known.join(', ')}; see ${help}`);
  }
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replace(/\s*\(Did you mean (one of )?(.*?)\?\)\s*$/s, '; did you mean $2?');
  return new SplitgrowError('E_USAGE', `${message}${message.endsWith('?') ? ' See' : '; see'} ${help}`);
}
