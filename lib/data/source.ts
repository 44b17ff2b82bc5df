// What the loader of a dataset is asked for, and what it finds.
import type { ImageSettings } from './images/settings.js';
import type { Part } from './part.js';

/** Which images an experiment asks for: its `data`. */
export interface DataSpec extends Partial<ImageSettings> {
  readonly name?: string | undefined;
  /** Folder with the dataset's own files. */
  readonly root?: string | undefined;
  /** Whether all images of the official set are required. */
  readonly whole?: boolean | undefined;
  /** A safetensors file instead of a named dataset. */
  readonly file?: string | undefined;
  /** How many images of each part are used: the first ones, or of image files as many of each class; null or absent: all. */
  readonly trainImages?: number | null | undefined;
  readonly testImages?: number | null | undefined;
  /** Training images set apart for validation: a share below 1, or a count; 0 or absent: none. */
  readonly validation?: number | undefined;
  /** Which labels of cifar100; fine unless said otherwise. */
  readonly labels?: 'fine' | 'coarse' | undefined;
  /** How its classes are matched with those of a network; by name unless given. */
  readonly classesBy?: ClassesBy | undefined;
}

/** `name`: by name where the data and the network both name their classes. `number`: by number, whatever the names. */
export type ClassesBy = 'name' | 'number';

/** What a loader finds in files. */
export interface Source {
  readonly train: Part;
  readonly test: Part;
  readonly classes: number;
  readonly classNames?: readonly string[] | undefined;
  /** Why the count of classes may be wrong: labels with gaps, or test labels that training has not. */
  readonly doubt?: string | undefined;
  /** What a reader of a report should know about it. */
  readonly note?: string | undefined;
}
