// Which folders of a dataset are its parts. Their names (in any case) and what they hold decide. No file is opened here.
import { SplitgrowError } from '../../errors.js';

/** What the images of a part folder are for. */
export type Role = 'train' | 'val' | 'test';
/** Parts that can serve for testing. */
export type TestPart = Exclude<Role, 'train'>;

/** Names of part folders in lower case, without `set`, `data` or `images` at their end. */
const ROLES: Readonly<Record<Role, readonly string[]>> = {
  train: ['train', 'training'],
  val: ['val', 'valid', 'validation', 'validate', 'dev', 'development', 'eval', 'evaluation'],
  test: ['test', 'testing'],
};
const ENDING = /[ _.-]?(set|data|images|imgs|split)$/;

/** The part that a folder's name stands for; null for other names. "Training_Set" is for training. */
export function roleOf(name: string): Role | null {
  const plain = name.normalize('NFC').toLowerCase().trim();
  const stems = [plain, plain.replace(ENDING, '')];
  const roles = Object.keys(ROLES) as Role[];
  return roles.find((role) => ROLES[role].some((one) => stems.includes(one))) ?? null;
}

/** A folder at the top of a dataset. */
export interface TopFolder {
  readonly name: string;
  readonly role: Role | null;
  /** Whether it has folders with images, images directly in it, or no image. */
  readonly holds: 'folders' | 'images' | 'nothing';
}

/** How the top of a dataset is read. */
export interface Reading {
  /** The folder of the training classes; '' the top itself; null: there are none. */
  readonly train: string | null;
  /** Folders that may serve for testing, the first choice first. */
  readonly tests: readonly string[];
  /** Folders that are read as classes, where the top itself holds them. */
  readonly classes: readonly string[];
  /** Folders that are no part and no class. */
  readonly others: readonly string[];
  readonly notes: readonly string[];
}

const MOST_NAMED = 5;

/** "a, b, c" or "a, b, c, d, e and 12 more" */
export function some(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `${names.slice(0, MOST_NAMED).join(', ')}${more}`;
}

const folders = (list: readonly TopFolder[]): string => some(list.map(({ name }) => `${name}/`));

function ambiguous(root: string, one: string, other: string): SplitgrowError {
  return new SplitgrowError(
    'E_DATA',
    `${root}: expected a layout that can be read in one way, found two: (1) ${one}; or (2) ${other}; rename or move folders so that one of them is left, or set data.root to one folder`,
  );
}

/** @throws E_DATA where two folders are for the same part */
function refuseTwins(root: string, top: readonly TopFolder[]): void {
  for (const role of Object.keys(ROLES) as Role[]) {
    const [first, second] = top.filter((one) => one.role === role);
    if (first === undefined || second === undefined) continue;
    const purpose = role === 'train' ? 'training' : role === 'val' ? 'validation' : 'testing';
    throw ambiguous(
      root,
      `${first.name}/ is for ${purpose} and ${second.name}/ is not used`,
      `${second.name}/ is for ${purpose} and ${first.name}/ is not used`,
    );
  }
}

/** The order in which folders serve for testing; with `testPart` those of that part alone. @throws E_DATA where there is none */
function testsOf(
  root: string,
  top: readonly TopFolder[],
  testPart: TestPart | undefined,
): readonly TopFolder[] {
  const of = (role: TestPart): readonly TopFolder[] => top.filter((one) => one.role === role);
  if (testPart === undefined) return [...of('val'), ...of('test')];
  const chosen = of(testPart);
  const all = [...of('val'), ...of('test')];
  // Without a folder for testing, the images that are kept for it are the test part.
  if (chosen.length > 0 || (testPart === 'test' && all.length === 0)) return chosen;
  throw new SplitgrowError(
    'E_DATA',
    `${root}: expected a folder for ${testPart === 'val' ? 'validation' : 'testing'} (${ROLES[testPart].join('/, ')}/), found ${all.length === 0 ? 'no part folder' : folders(all)}; ask for another part`,
  );
}

/**
 * Reads the folders at the top: parts, or classes. @throws E_DATA where two readings are possible, which are named; where
 * `testPart` is asked for and not there
 */
export function readTop(root: string, all: readonly TopFolder[], testPart?: TestPart): Reading {
  const top = all.filter(({ holds }) => holds !== 'nothing');
  const empty = all.filter(({ role, holds }) => role !== null && holds === 'nothing');
  refuseTwins(root, top);
  const train = top.find(({ role }) => role === 'train');
  const parts = top.filter(({ role }) => role === 'val' || role === 'test');
  const others = top.filter(({ role }) => role === null);
  const notes = empty.map(({ name }) => `${name}/ holds no images`);
  const names = (list: readonly TopFolder[]): readonly string[] => list.map(({ name }) => name);
  if (train?.holds === 'folders') {
    if (others.length > 0 && parts.length === 0) {
      throw ambiguous(
        root,
        `${train.name}/ holds the classes for training, and ${folders(others)} are not used`,
        `${folders([train, ...others])} are the classes`,
      );
    }
    const tests = testsOf(root, top, testPart);
    return { train: train.name, tests: names(tests), classes: [], others: names(others), notes };
  }
  if (parts.length === 0) {
    testsOf(root, top, testPart);
    const classes = all.filter(({ role, holds }) => role === null || holds !== 'nothing');
    if (train !== undefined)
      notes.push(
        `${train.name}/ is read as a class: it holds images, no class folders, and lies beside classes`,
      );
    return { train: '', tests: [], classes: names(classes), others: [], notes };
  }
  if (others.length > 0) {
    const given = train === undefined ? parts : [train, ...parts];
    throw ambiguous(
      root,
      `${folders(given)} are parts, and ${folders(others)} are the classes for training`,
      `${folders([...others, ...given])} are all classes`,
    );
  }
  if (train !== undefined) {
    throw new SplitgrowError(
      'E_DATA',
      `${root}: expected a folder for each class in ${train.name}/, found images alone; sort them into class folders, or set data.root to ${some(parts.map(({ name }) => `${name}/`))}`,
    );
  }
  return { train: null, tests: names(testsOf(root, top, testPart)), classes: [], others: [], notes };
}

/**
 * Refuses classes with folders for training and for testing inside of them: read as classes, they would mix what was kept apart.
 *
 * @param paths Images below the classes' folders, relative to the root.
 * @throws E_DATA naming both readings
 */
export function refusePartsWithin(root: string, paths: readonly string[]): void {
  const within = new Map<string, Map<Role, string>>();
  for (const path of paths) {
    const [top = '', inner = '', ...rest] = path.split('/');
    const role = rest.length === 0 ? null : roleOf(inner);
    if (role !== null) within.set(top, (within.get(top) ?? new Map<Role, string>()).set(role, inner));
  }
  for (const [top, parts] of within) {
    if (!parts.has('train') || parts.size === 1) continue;
    const inner = [...parts.values()].map((name) => `${top}/${name}/`).join(' and ');
    throw ambiguous(root, `${top}/ is a class with all images in it`, `${inner} are parts, to be kept apart`);
  }
}
