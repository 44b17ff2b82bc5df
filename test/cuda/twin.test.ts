// The GPU kernels' algorithms, run on the CPU, against PyTorch's golden files and against float64: the tests of the
// native core once more, with the twin in the place of the vectorised loops. Recorded steps are run again as recorded.
import './twin.js';
import '../native/bfloat16.test.js';
import '../native/data.test.js';
import '../native/depthwise-norm.test.js';
import '../native/forward.test.js';
import '../native/precision.test.js';
import '../native/recipe.test.js';
import '../native/rmsprop.test.js';
import '../native/statistics.test.js';
import '../native/train.test.js';
