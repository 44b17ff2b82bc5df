// How many validation images an experiment that does not say sets apart, and that whatever chooses has some.
import { SplitgrowError } from '../../errors.js';
import type { Spec } from './experiment.js';

/** A share below 1, or a count. */
const USUAL = 0.1;
/** 10,000 of the 1,281,167 training images, and as large a share of a part of them. */
const OF_IMAGENET = 10_000 / 1_281_167;
/** Of data sets that are trained for their own sake; others give a share where something chooses. */
const BY_NAME: Readonly<Record<string, number>> = {
  cifar10: USUAL,
  cifar100: USUAL,
  'image-folder': USUAL,
  imagenet: OF_IMAGENET,
};

/** Fields that choose between networks by their accuracy. */
function chooser({ deliver, checkpoint }: Pick<Spec, 'deliver' | 'checkpoint'>): string | null {
  if (deliver.which !== 'grown') return `deliver ${deliver.which}`;
  return checkpoint.evaluateEvery > 0 ? 'checkpoint.evaluateEvery' : null;
}

/** The data with the field in its place: an experiment that was written and is read again has the same text. */
function withField<D extends Spec['data']>(data: D, validation: number): D {
  const members = Object.entries(data).filter(([name]) => name !== 'validation');
  const at = members.findIndex(([name]) => name === 'testImages') + 1;
  const [before, after] = [members.slice(0, at), members.slice(at)];
  return Object.fromEntries([...before, ['validation', validation], ...after]) as D;
}

/** The experiment with its number of validation images. @throws E_EXPERIMENT where something is to choose and there are to be none */
export function withValidationSize(spec: Spec): Spec {
  const { data } = spec;
  const by = chooser(spec);
  const usual = BY_NAME['name' in data ? data.name : ''] ?? (by === null ? 0 : USUAL);
  const validation = data.validation ?? usual;
  if (validation > 0 || by === null) return { ...spec, data: withField(data, validation) };
  throw new SplitgrowError(
    'E_EXPERIMENT',
    `data.validation: expected images to choose by, as ${by} asks for, got 0; leave it out, or give a share such as ${USUAL}`,
  );
}
