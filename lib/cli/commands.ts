// The commands of splitgrow, one row each; the program, its help and its errors are built from this table.
import { BENCH } from './bench.js';
import { BENCH_SPLITTING } from './bench-splitting.js';
import { BUILD } from './build.js';
import type { Command } from './command.js';
import { COMPARE } from './compare.js';
import { COST } from './cost.js';
import { DATA_BENCH } from './data-bench.js';
import { DATA_GET, DATA_LIST } from './data-get.js';
import { DATA_INDEX } from './data-index.js';
import { DATA_PACK, DATA_VERIFY } from './data-pack.js';
import { DOCTOR } from './doctor.js';
import { EVAL } from './eval.js';
import { EXPORT } from './export.js';
import { FORWARD } from './forward.js';
import { GROW } from './grow.js';
import { IMPORT } from './import.js';
import { INDICES } from './indices.js';
import { INIT } from './init.js';
import { LAUNCH } from './launch.js';
import { PREDICT } from './predict.js';
import { REPRODUCE } from './reproduce.js';
import { SETUP } from './setup.js';
import { SHOW } from './show.js';
import { SPLIT } from './split.js';
import { TRAIN } from './train.js';

export const COMMANDS: readonly Command[] = [
  INIT,
  SHOW,
  COST,
  INDICES,
  SPLIT,
  FORWARD,
  TRAIN,
  GROW,
  COMPARE,
  REPRODUCE,
  EVAL,
  PREDICT,
  IMPORT,
  EXPORT,
  BENCH,
  BENCH_SPLITTING,
  LAUNCH,
  DATA_GET,
  DATA_LIST,
  DATA_INDEX,
  DATA_PACK,
  DATA_VERIFY,
  DATA_BENCH,
  SETUP,
  BUILD,
  DOCTOR,
];
