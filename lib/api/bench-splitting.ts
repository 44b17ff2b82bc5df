// bench splitting: exact against fast splitting at several widths, written as tables, plots and a page.
import type { SplittingBenchDocument } from '../bench/documents.js';
import type { SplittingBenchOptions } from '../bench/options.js';
import { timeSplitting } from '../bench/splitting.js';
import type { RunControl } from '../native/events.js';
import { watched } from '../native/watched.js';
import { writeSplittingBench } from '../report/bench/write.js';

/** The document, and where it was written. */
export type SplittingBenchResult = SplittingBenchDocument & {
  /** Files written; none without `out`. */
  readonly files: readonly string[];
};

/**
 * Times the steps of both methods at every width and scales them to whole searches. With `out`, what is measured is
 * written after every width and stays when the work is aborted.
 *
 * @throws E_ARGUMENT, E_PRESET, E_FILE, E_GRAPH_*, E_DEVICE, E_WRITE, E_ABORTED
 */
export async function benchSplitting(
  options: SplittingBenchOptions = {},
  control: RunControl = {},
): Promise<SplittingBenchResult> {
  return watched(control, async (watching) => {
    const { out } = options;
    let files: readonly string[] = [];
    const document = await timeSplitting(options, watching, async (current) => {
      if (out !== undefined) files = await writeSplittingBench(current, out);
    });
    return { ...document, files };
  });
}
