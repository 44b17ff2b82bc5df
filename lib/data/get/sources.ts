// Where the datasets come from: official files, their sizes and checksums, and what is in the archives.
import type { RemoteFile } from '../../machine/download/download.js';

/** A file of an archive that the loader needs. */
export interface Member {
  /** Its name in the archive. */
  readonly file: string;
  /** Its size. */
  readonly bytes: number;
  /** Its MD5. */
  readonly md5: string;
}

/** A file that holds those of the dataset. */
export interface Archive {
  /** The one folder in it. */
  readonly folder: string;
  /** What is unpacked of it. */
  readonly members: readonly Member[];
  /** Small texts in it that are kept too, where they are there. */
  readonly texts: readonly string[];
}

/** Where a dataset comes from. */
export interface DataSource {
  /** Name of the dataset. */
  readonly name: string;
  /** Its files. */
  readonly files: readonly RemoteFile[];
  /** How the one file unpacks; absent: the files are used as they are. */
  readonly archive?: Archive;
}

const FASHION_URLS = [
  'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
  'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
];
const CIFAR_URL = 'https://www.cs.toronto.edu/~kriz/';

function fashion(file: string, bytes: number, md5: string, sha256: string): RemoteFile {
  return { file, bytes, md5, sha256, urls: FASHION_URLS.map((url) => `${url}${file}`) };
}

function cifar(file: string, bytes: number, md5: string, sha256: string): readonly RemoteFile[] {
  return [{ file, bytes, md5, sha256, urls: [`${CIFAR_URL}${file}`] }];
}

/** 10,000 rows of a label byte and 3,072 pixels. */
const BATCH_BYTES = 10_000 * 3073;
/** Rows of two label bytes and 3,072 pixels. */
const CIFAR100_ROW = 3074;

export const SOURCES: readonly DataSource[] = [
  {
    name: 'fashion-mnist',
    files: [
      fashion(
        'train-images-idx3-ubyte.gz',
        26_421_880,
        '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
        '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
      ),
      fashion(
        'train-labels-idx1-ubyte.gz',
        29_515,
        '25c81989df183df01b3e8a0aad5dffbe',
        'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845',
      ),
      fashion(
        't10k-images-idx3-ubyte.gz',
        4_422_102,
        'bef4ecab320f06d8554ea6380940ec79',
        '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
      ),
      fashion(
        't10k-labels-idx1-ubyte.gz',
        5_148,
        'bb300cfdad3c16e7a12a480ee83cd310',
        '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5',
      ),
    ],
  },
  {
    name: 'cifar10',
    files: cifar(
      'cifar-10-binary.tar.gz',
      170_052_171,
      'c32a1d4ab5d03f1284b67883e8d87530',
      'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
    ),
    archive: {
      folder: 'cifar-10-batches-bin',
      members: [
        { file: 'data_batch_1.bin', bytes: BATCH_BYTES, md5: '5dd7e06a14cb22eb9f671a540d1b7c25' },
        { file: 'data_batch_2.bin', bytes: BATCH_BYTES, md5: '5ea93a67294ea407fff1d09f752e9692' },
        { file: 'data_batch_3.bin', bytes: BATCH_BYTES, md5: '942cd6a4bcdd0dd3c604fbe906cb4421' },
        { file: 'data_batch_4.bin', bytes: BATCH_BYTES, md5: 'ae636b3ba5c66a11e91e8cb52e771fcb' },
        { file: 'data_batch_5.bin', bytes: BATCH_BYTES, md5: '53f37980c15c3d472c316c40844f3f0d' },
        { file: 'test_batch.bin', bytes: BATCH_BYTES, md5: '803d5f7f4d78ea53de84dbe85f74fb6d' },
      ],
      texts: ['batches.meta.txt', 'readme.html'],
    },
  },
  {
    name: 'cifar100',
    files: cifar(
      'cifar-100-binary.tar.gz',
      168_513_733,
      '03b5dce01913d631647c71ecec9e9cb8',
      '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
    ),
    archive: {
      folder: 'cifar-100-binary',
      members: [
        { file: 'train.bin', bytes: 50_000 * CIFAR100_ROW, md5: '6172c7755cfe09b2fe270c85cebc1b15' },
        { file: 'test.bin', bytes: 10_000 * CIFAR100_ROW, md5: '4499cfba6c016c1be1438163640a0898' },
      ],
      texts: ['fine_label_names.txt', 'coarse_label_names.txt'],
    },
  },
];

/** The files that a loader reads: an archive's members, or the downloads themselves. */
export function filesOf(source: DataSource): readonly Member[] {
  return source.archive?.members ?? source.files;
}
