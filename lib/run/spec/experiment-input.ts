// Made by `node scripts/schemas.mjs` from the schemas of lib/run/spec: change a field's description there.
import type { Graph } from '../../graph/ir.js';

/** The `network` of an experiment: `{ "preset": ... }` with its options, `{ "directory": ... }`, or `{ "graph": ... }`, a graph as in network.json. */
export type NetworkInput = {
  /** MobileNetV1 (Howard et al. 2017); width 0.3 is the paper's ImageNet seed */
  readonly preset: 'mobilenet_v1';
  /** height and width of the input; left out: as the data are */
  readonly resolution?: number | undefined;
  /** channels of the input; left out: as the data are */
  readonly channels?: number | undefined;
  /** classes; left out: as the data are */
  readonly classes?: number | undefined;
  /**
   * the function after every convolution that has one
   * @defaultValue "relu"
   */
  readonly activation?: 'relu' | 'relu6' | 'silu' | 'softplus' | 'tanh' | 'sigmoid' | 'gelu' | 'identity' | 'swish' | undefined;
  /**
   * multiplier of every width
   * @defaultValue 1
   */
  readonly width?: number | undefined;
  /**
   * multiplied widths become multiples of it
   * @defaultValue 4
   */
  readonly round?: number | undefined;
} | {
  /** MobileNetV2 (Sandler et al. 2018), as in torchvision; width 0.3 is the paper's ImageNet seed */
  readonly preset: 'mobilenet_v2';
  /** height and width of the input; left out: as the data are */
  readonly resolution?: number | undefined;
  /** channels of the input; left out: as the data are */
  readonly channels?: number | undefined;
  /** classes; left out: as the data are */
  readonly classes?: number | undefined;
  /**
   * the function after every convolution that has one
   * @defaultValue "relu6"
   */
  readonly activation?: 'relu' | 'relu6' | 'silu' | 'softplus' | 'tanh' | 'sigmoid' | 'gelu' | 'identity' | 'swish' | undefined;
  /**
   * multiplier of every width
   * @defaultValue 1
   */
  readonly width?: number | undefined;
  /**
   * multiplied widths become multiples of it; 0: of 8, but the paper's list at width 0.3
   * @defaultValue 0
   */
  readonly round?: number | undefined;
  /**
   * what joins a residual block: its input, or a learned 1x1 convolution of it
   * @defaultValue "identity"
   */
  readonly shortcut?: 'identity' | 'conv' | undefined;
  /**
   * dropout before the classifier; 0: none
   * @defaultValue 0
   */
  readonly dropout?: number | undefined;
} | {
  /** ResNet-18 (He et al. 2016), as in torchvision; "stem": "small" for images of 32 or 64 pixels */
  readonly preset: 'resnet18';
  /** height and width of the input; left out: as the data are */
  readonly resolution?: number | undefined;
  /** channels of the input; left out: as the data are */
  readonly channels?: number | undefined;
  /** classes; left out: as the data are */
  readonly classes?: number | undefined;
  /**
   * the function after every convolution that has one
   * @defaultValue "relu"
   */
  readonly activation?: 'relu' | 'relu6' | 'silu' | 'softplus' | 'tanh' | 'sigmoid' | 'gelu' | 'identity' | 'swish' | undefined;
  /**
   * multiplier of every width
   * @defaultValue 1
   */
  readonly width?: number | undefined;
  /**
   * multiplied widths become multiples of it
   * @defaultValue 1
   */
  readonly round?: number | undefined;
  /**
   * the 7x7 convolution and max pooling of ImageNet, or a 3x3 convolution for small images
   * @defaultValue "imagenet"
   */
  readonly stem?: 'imagenet' | 'small' | undefined;
} | {
  /** ResNet-50 (He et al. 2016), as in torchvision; "stem": "small" for images of 32 or 64 pixels */
  readonly preset: 'resnet50';
  /** height and width of the input; left out: as the data are */
  readonly resolution?: number | undefined;
  /** channels of the input; left out: as the data are */
  readonly channels?: number | undefined;
  /** classes; left out: as the data are */
  readonly classes?: number | undefined;
  /**
   * the function after every convolution that has one
   * @defaultValue "relu"
   */
  readonly activation?: 'relu' | 'relu6' | 'silu' | 'softplus' | 'tanh' | 'sigmoid' | 'gelu' | 'identity' | 'swish' | undefined;
  /**
   * multiplier of every width
   * @defaultValue 1
   */
  readonly width?: number | undefined;
  /**
   * multiplied widths become multiples of it
   * @defaultValue 1
   */
  readonly round?: number | undefined;
  /**
   * the 7x7 convolution and max pooling of ImageNet, or a 3x3 convolution for small images
   * @defaultValue "imagenet"
   */
  readonly stem?: 'imagenet' | 'small' | undefined;
} | {
  /** the paper's CIFAR-10 variants: k blocks of `width` channels, and one extra block */
  readonly preset: 'mobilenet_cifar10';
  /** height and width of the input; left out: as the data are */
  readonly resolution?: number | undefined;
  /** channels of the input; left out: as the data are */
  readonly channels?: number | undefined;
  /** classes; left out: as the data are */
  readonly classes?: number | undefined;
  /**
   * the function after every convolution that has one
   * @defaultValue "relu"
   */
  readonly activation?: 'relu' | 'relu6' | 'silu' | 'softplus' | 'tanh' | 'sigmoid' | 'gelu' | 'identity' | 'swish' | undefined;
  /**
   * channels of every layer
   * @defaultValue 8
   */
  readonly width?: number | undefined;
  /**
   * blocks between the stem and the extra block
   * @defaultValue 3
   */
  readonly blocks?: number | undefined;
} | {
  /** the paper's CIFAR-100 seed, a narrow MobileNetV1 */
  readonly preset: 'mobilenet_cifar100';
  /** height and width of the input; left out: as the data are */
  readonly resolution?: number | undefined;
  /** channels of the input; left out: as the data are */
  readonly channels?: number | undefined;
  /** classes; left out: as the data are */
  readonly classes?: number | undefined;
  /**
   * the function after every convolution that has one
   * @defaultValue "relu"
   */
  readonly activation?: 'relu' | 'relu6' | 'silu' | 'softplus' | 'tanh' | 'sigmoid' | 'gelu' | 'identity' | 'swish' | undefined;
  /**
   * multiplier of every width
   * @defaultValue 1
   */
  readonly width?: number | undefined;
  /**
   * multiplied widths become multiples of it
   * @defaultValue 1
   */
  readonly round?: number | undefined;
} | {
  /** network directory: where the run starts, weights and all */
  readonly directory: string;
} | {
  /** a graph as it stands in network.json, with fresh weights */
  readonly graph: Graph;
};

/** The `data` of an experiment: the images: a dataset by its name, or a safetensors file. */
export type DataInput = {
  /** the dataset: `fashion-mnist`, `cifar10`, `cifar100`, `imagenet`, `image-folder` */
  readonly name: 'fashion-mnist' | 'cifar10' | 'cifar100';
  /** folder of a named dataset; none: where `data get` puts it */
  readonly root?: string | undefined;
  /**
   * refuses an incomplete dataset; `fashion-mnist`: the fetched images, not the shipped ones
   * @defaultValue false
   */
  readonly whole?: boolean | undefined;
  /**
   * list of `flip` (mirror) and `crop` (shift), `[]` with `data.file`; for image files `flip` with `resized-crop`, the default, or with `shift`
   * @defaultValue ["flip","crop"]
   */
  readonly augment?: readonly ('flip' | 'crop')[] | undefined;
  /** `fine` or `coarse`, of `cifar100` */
  readonly labels?: 'fine' | 'coarse' | undefined;
  /**
   * how many training images: the first ones, of image files evenly by class; null: all
   * @defaultValue null
   */
  readonly trainImages?: number | null | undefined;
  /**
   * how many test images, likewise
   * @defaultValue null
   */
  readonly testImages?: number | null | undefined;
  /** training images set apart, by class and seed, for all that chooses: a share below 1, or a count; left out: a tenth for `cifar10`, `cifar100`, `image-folder` and wherever something chooses, 10,000 of the whole `imagenet`, else 0 */
  readonly validation?: number | undefined;
  /**
   * a new order every epoch
   * @defaultValue true
   */
  readonly shuffle?: boolean | undefined;
  /** how classes are matched to those that the network names: by `name` (so without it), or by `number` */
  readonly classesBy?: 'name' | 'number' | undefined;
  /**
   * pixels of zero padding before `crop`
   * @defaultValue 4
   */
  readonly cropPadding?: number | undefined;
} | {
  /** the dataset: `fashion-mnist`, `cifar10`, `cifar100`, `imagenet`, `image-folder` */
  readonly name: 'imagenet' | 'image-folder';
  /** folder of a named dataset; none: where `data get` puts it */
  readonly root?: string | undefined;
  /** image files: a packed store instead of `data.root` */
  readonly store?: string | undefined;
  /**
   * refuses an incomplete dataset; `fashion-mnist`: the fetched images, not the shipped ones
   * @defaultValue false
   */
  readonly whole?: boolean | undefined;
  /**
   * image files: height and width of the input
   * @defaultValue 224
   */
  readonly resolution?: number | undefined;
  /**
   * list of `flip` (mirror) and `crop` (shift), `[]` with `data.file`; for image files `flip` with `resized-crop`, the default, or with `shift`
   * @defaultValue ["flip","resized-crop"]
   */
  readonly augment?: readonly ('flip' | 'resized-crop' | 'shift')[] | undefined;
  /**
   * of `resized-crop`: least share of the image
   * @defaultValue 0.08
   */
  readonly leastArea?: number | undefined;
  /**
   * image files: shorter side in pixels before a centre crop or `shift`; null: 256 / 224 of `resolution`
   * @defaultValue null
   */
  readonly shortSide?: number | null | undefined;
  /**
   * image files: mean of pixels / 255; one number: the network sees luma
   * @defaultValue [0.485,0.456,0.406]
   */
  readonly mean?: readonly number[] | undefined;
  /**
   * image files: standard deviation, likewise
   * @defaultValue [0.229,0.224,0.225]
   */
  readonly std?: readonly number[] | undefined;
  /**
   * image files: share kept for testing when the folder has no test part
   * @defaultValue 0.1
   */
  readonly testShare?: number | undefined;
  /** image files: folder for testing, `val` (first choice) or `test` */
  readonly testPart?: 'val' | 'test' | undefined;
  /** image files: follow links that lead out of the folder */
  readonly followLinks?: boolean | undefined;
  /**
   * image files: threads that decode; null: as many as compute
   * @defaultValue null
   */
  readonly workers?: number | null | undefined;
  /**
   * image files: minibatches kept ready
   * @defaultValue 3
   */
  readonly prefetch?: number | undefined;
  /**
   * image files: larger images are left out
   * @defaultValue 100000000
   */
  readonly maxPixels?: number | undefined;
  /**
   * image files: progressive JPEGs with more scans are left out
   * @defaultValue 100
   */
  readonly maxScans?: number | undefined;
  /**
   * image files: let the JPEG decoder shrink large images
   * @defaultValue true
   */
  readonly scaledDecoding?: boolean | undefined;
  /**
   * image files: leave out unreadable images instead of failing
   * @defaultValue false
   */
  readonly skipUnreadable?: boolean | undefined;
  /**
   * how many training images: the first ones, of image files evenly by class; null: all
   * @defaultValue null
   */
  readonly trainImages?: number | null | undefined;
  /**
   * how many test images, likewise
   * @defaultValue null
   */
  readonly testImages?: number | null | undefined;
  /** training images set apart, by class and seed, for all that chooses: a share below 1, or a count; left out: a tenth for `cifar10`, `cifar100`, `image-folder` and wherever something chooses, 10,000 of the whole `imagenet`, else 0 */
  readonly validation?: number | undefined;
  /**
   * a new order every epoch
   * @defaultValue true
   */
  readonly shuffle?: boolean | undefined;
  /** how classes are matched to those that the network names: by `name` (so without it), or by `number` */
  readonly classesBy?: 'name' | 'number' | undefined;
} | {
  /** a safetensors file */
  readonly file: string;
  /**
   * list of `flip` (mirror) and `crop` (shift), `[]` with `data.file`; for image files `flip` with `resized-crop`, the default, or with `shift`
   * @defaultValue []
   */
  readonly augment?: readonly ('flip' | 'crop')[] | undefined;
  /**
   * how many training images: the first ones, of image files evenly by class; null: all
   * @defaultValue null
   */
  readonly trainImages?: number | null | undefined;
  /**
   * how many test images, likewise
   * @defaultValue null
   */
  readonly testImages?: number | null | undefined;
  /** training images set apart, by class and seed, for all that chooses: a share below 1, or a count; left out: a tenth for `cifar10`, `cifar100`, `image-folder` and wherever something chooses, 10,000 of the whole `imagenet`, else 0 */
  readonly validation?: number | undefined;
  /**
   * a new order every epoch
   * @defaultValue true
   */
  readonly shuffle?: boolean | undefined;
  /** how classes are matched to those that the network names: by `name` (so without it), or by `number` */
  readonly classesBy?: 'name' | 'number' | undefined;
  /**
   * pixels of zero padding before `crop`
   * @defaultValue 4
   */
  readonly cropPadding?: number | undefined;
};

/** The `fit` of an experiment: parametric updates: epochs, minibatch, optimizer, schedule. */
export interface FitInput {
  /**
   * epochs of training a stage; a list gives one number a stage, the last for all later ones
   * @defaultValue 160
   */
  readonly epochs?: number | readonly number[] | undefined;
  /**
   * minibatch, over all ranks
   * @defaultValue 256
   */
  readonly batch?: number | undefined;
  /** images after the last whole minibatch: `keep` (a smaller one), `join` (to the one before) or `drop`; left out: `keep`, but `join` when batch norm cannot take the one image */
  readonly remainder?: 'keep' | 'join' | 'drop' | undefined;
  /**
   * images that a rank works on at a time; gradients add up; null: all
   * @defaultValue null
   */
  readonly microBatch?: number | null | undefined;
  /**
   * number type of products: `float32`, `bfloat16`, or `auto` (bfloat16 where that is fast)
   * @defaultValue "float32"
   */
  readonly precision?: 'float32' | 'bfloat16' | 'auto' | undefined;
  /**
   * share of a label that is spread over all classes; below 1
   * @defaultValue 0
   */
  readonly labelSmoothing?: number | undefined;
  /**
   * largest L2 norm of the whole gradient; null: any
   * @defaultValue null
   */
  readonly gradientClip?: number | null | undefined;
  /** stochastic gradient descent and its rate */
  readonly optimizer?: {
    /**
     * only `sgd`
     * @defaultValue "sgd"
     */
    readonly kind?: 'sgd' | undefined;
    /**
     * full rate
     * @defaultValue 0.1
     */
    readonly learningRate?: number | undefined;
    /**
     * momentum of SGD; below 1
     * @defaultValue 0.9
     */
    readonly momentum?: number | undefined;
    /**
     * Nesterov's momentum; needs momentum
     * @defaultValue false
     */
    readonly nesterov?: boolean | undefined;
    /**
     * L2 decay of parameters
     * @defaultValue 0.0001
     */
    readonly weightDecay?: number | undefined;
    /**
     * which parameters decay: `all`, or `weights` of convolutions and linear layers only
     * @defaultValue "all"
     */
    readonly decay?: 'all' | 'weights' | undefined;
  } | undefined;
  /**
   * weights born at a later stage train at the rate times their norm at birth over that of the first
   * @defaultValue false
   */
  readonly rateByAge?: boolean | undefined;
  /** how the rate changes within a stage; a list gives one a stage, the last for all later ones */
  readonly schedule?: {
    /** `constant`, `steps`, `cosine` or `wsd` (warm-up, full rate, decay); or a list of schedules, one a stage */
    readonly kind: 'constant';
  } | {
    /** `constant`, `steps`, `cosine` or `wsd` (warm-up, full rate, decay); or a list of schedules, one a stage */
    readonly kind: 'steps';
    /**
     * of `steps`: epochs, from 0 in each stage
     * @defaultValue [80,120]
     */
    readonly at?: readonly number[] | undefined;
    /**
     * of `steps`: factor of the rate at each of them
     * @defaultValue 0.1
     */
    readonly factor?: number | undefined;
  } | {
    /** `constant`, `steps`, `cosine` or `wsd` (warm-up, full rate, decay); or a list of schedules, one a stage */
    readonly kind: 'cosine';
    /**
     * of `cosine` and `wsd`: first epochs, in which the rate rises
     * @defaultValue 0
     */
    readonly warmup?: number | undefined;
    /**
     * of `cosine`: share of the full rate at the end; below 1
     * @defaultValue 0
     */
    readonly final?: number | undefined;
  } | {
    /** `constant`, `steps`, `cosine` or `wsd` (warm-up, full rate, decay); or a list of schedules, one a stage */
    readonly kind: 'wsd';
    /**
     * of `cosine` and `wsd`: first epochs, in which the rate rises
     * @defaultValue 0
     */
    readonly warmup?: number | undefined;
    /**
     * of `wsd`: last epochs, in which the rate falls to 0
     * @defaultValue 0
     */
    readonly decay?: number | undefined;
  } | readonly ({
    /** `constant`, `steps`, `cosine` or `wsd` (warm-up, full rate, decay); or a list of schedules, one a stage */
    readonly kind: 'constant';
  } | {
    /** `constant`, `steps`, `cosine` or `wsd` (warm-up, full rate, decay); or a list of schedules, one a stage */
    readonly kind: 'steps';
    /**
     * of `steps`: epochs, from 0 in each stage
     * @defaultValue [80,120]
     */
    readonly at?: readonly number[] | undefined;
    /**
     * of `steps`: factor of the rate at each of them
     * @defaultValue 0.1
     */
    readonly factor?: number | undefined;
  } | {
    /** `constant`, `steps`, `cosine` or `wsd` (warm-up, full rate, decay); or a list of schedules, one a stage */
    readonly kind: 'cosine';
    /**
     * of `cosine` and `wsd`: first epochs, in which the rate rises
     * @defaultValue 0
     */
    readonly warmup?: number | undefined;
    /**
     * of `cosine`: share of the full rate at the end; below 1
     * @defaultValue 0
     */
    readonly final?: number | undefined;
  } | {
    /** `constant`, `steps`, `cosine` or `wsd` (warm-up, full rate, decay); or a list of schedules, one a stage */
    readonly kind: 'wsd';
    /**
     * of `cosine` and `wsd`: first epochs, in which the rate rises
     * @defaultValue 0
     */
    readonly warmup?: number | undefined;
    /**
     * of `wsd`: last epochs, in which the rate falls to 0
     * @defaultValue 0
     */
    readonly decay?: number | undefined;
  })[] | undefined;
  /** a copy of a stage's network is trained on until the rate is 0: that is the stage's network; growth goes on from the other */
  readonly finish?: {
    /**
     * epochs in which a copy of the network is trained on until the rate is 0; may be a list as `fit.epochs`; needs the schedule `constant`
     * @defaultValue 0
     */
    readonly epochs?: number | readonly number[] | undefined;
    /**
     * the last of them, in which the rate falls to 0; null: all
     * @defaultValue null
     */
    readonly decay?: number | null | undefined;
    /**
     * which networks are finished: of `every` stage, or the `last` alone
     * @defaultValue "every"
     */
    readonly stages?: 'every' | 'last' | undefined;
  } | undefined;
  /** exponential moving average of weights and running statistics: a stage's network is the average, growth goes on from the network itself */
  readonly average?: {
    /**
     * decay of the moving average of weights and running statistics; 0: none
     * @defaultValue 0
     */
    readonly decay?: number | undefined;
    /**
     * minibatches between two updates of the average
     * @defaultValue 1
     */
    readonly every?: number | undefined;
    /**
     * first epochs of a stage without averaging
     * @defaultValue 0
     */
    readonly warmup?: number | undefined;
  } | undefined;
  /**
   * batch statistics over all ranks
   * @defaultValue false
   */
  readonly syncBatchNorm?: boolean | undefined;
  /**
   * minibatch of evaluations
   * @defaultValue 256
   */
  readonly evaluationBatch?: number | undefined;
}

/** The `splitting` of an experiment: splitting indices, choice of neurons and growth. */
export interface SplittingInput {
  /**
   * which neurons are split first: `energy-aware`, `vanilla`, `random`, `cost-only` (the cheapest), or your own
   * @defaultValue "energy-aware"
   */
  readonly strategy?: 'energy-aware' | 'vanilla' | 'random' | 'cost-only' | (string & Record<never, never>) | undefined;
  /**
   * how splitting indices are computed: `rayleigh`, `exact`, `lobpcg`, `auto`
   * @defaultValue "rayleigh"
   */
  readonly method?: 'exact' | 'rayleigh' | 'lobpcg' | 'auto' | undefined;
  /**
   * other methods, computed for comparison alone
   * @defaultValue []
   */
  readonly alongside?: readonly ('exact' | 'rayleigh' | 'lobpcg' | 'auto')[] | undefined;
  /**
   * Rayleigh epochs; neurons above `tolerance` go on after them
   * @defaultValue 10
   */
  readonly epochs?: number | undefined;
  /**
   * residual at which a neuron is done, as a share of its index, or of a hundredth of the largest index of the layer when that is more
   * @defaultValue 0.01
   */
  readonly tolerance?: number | undefined;
  /**
   * most Rayleigh epochs; null: three times `epochs`
   * @defaultValue null
   */
  readonly mostEpochs?: number | null | undefined;
  /**
   * most passes of `lobpcg` over its images
   * @defaultValue 12
   */
  readonly passes?: number | undefined;
  /**
   * minibatch of the splitting indices
   * @defaultValue 64
   */
  readonly batch?: number | undefined;
  /**
   * rate of the Rayleigh descent
   * @defaultValue 0.001
   */
  readonly learningRate?: number | undefined;
  /** RMSprop of the Rayleigh descent */
  readonly rmsprop?: {
    /**
     * smoothing constant of RMSprop
     * @defaultValue 0.9
     */
    readonly alpha?: number | undefined;
    /**
     * momentum of the descent; below 1
     * @defaultValue 0.9
     */
    readonly momentum?: number | undefined;
    /**
     * added to the root of the mean square
     * @defaultValue 1e-8
     */
    readonly epsilon?: number | undefined;
    /**
     * rate factor every `decayEvery` epochs
     * @defaultValue 1
     */
    readonly decayFactor?: number | undefined;
    /**
     * epochs between decays of the rate
     * @defaultValue 2
     */
    readonly decayEvery?: number | undefined;
    /** epoch of the first decay; left out: `decayEvery` */
    readonly decayFirst?: number | undefined;
  } | undefined;
  /**
   * step of the offspring, or `"line-search"`
   * @defaultValue 0.01
   */
  readonly epsilon?: number | 'line-search' | undefined;
  /**
   * `relative`: epsilon counts in lengths of the weights of each neuron
   * @defaultValue "absolute"
   */
  readonly epsilonScale?: 'absolute' | 'relative' | undefined;
  /** how losses around a step are measured, and which steps are tried */
  readonly lineSearch?: {
    /**
     * steps that the line search tries
     * @defaultValue [0.01,0.02,0.05,0.1,0.2,0.5,1,2]
     */
    readonly grid?: readonly number[] | undefined;
    /**
     * images that the loss is measured on: of training, or for a line search of validation where there are some
     * @defaultValue 1024
     */
    readonly images?: number | undefined;
    /**
     * batch norm's statistics in the losses around a step: `running`, or `batch` (of each minibatch)
     * @defaultValue "running"
     */
    readonly statistics?: 'running' | 'batch' | undefined;
  } | undefined;
  /**
   * later layers read the offspring at 1/2 + delta and 1/2 − delta; above −0.5 and below 0.5
   * @defaultValue 0
   */
  readonly outgoingDelta?: number | undefined;
  /**
   * offspring before a batch norm are scaled by their share of the parent to this power, from 0 to 2; 0: not
   * @defaultValue 0
   */
  readonly rescale?: number | undefined;
  /**
   * Gaussian noise on the weights of every copy, in lengths of them
   * @defaultValue 0
   */
  readonly noise?: number | undefined;
  /**
   * factor on all weights before a batch norm at growth; 1: not
   * @defaultValue 1
   */
  readonly shrink?: number | undefined;
  /**
   * Gaussian noise on the same weights, in lengths of each neuron
   * @defaultValue 0
   */
  readonly perturb?: number | undefined;
  /**
   * training images on which batch norm's statistics are estimated again after growth; 0: copied
   * @defaultValue 0
   */
  readonly recalibrateImages?: number | undefined;
  /**
   * record the distances of offspring after growth and every epoch
   * @defaultValue false
   */
  readonly twins?: boolean | undefined;
  /**
   * record gradient norms of newborn and old channels after growth and every epoch
   * @defaultValue false
   */
  readonly gradients?: boolean | undefined;
  /**
   * share by which every budgeted cost may grow a stage; a list gives one number a stage, the last for all later ones
   * @defaultValue 0.5
   */
  readonly growthRatio?: number | readonly number[] | undefined;
  /**
   * what is budgeted: `macs`, `params`, `flops2x`, one of your own, or a list of them; MACs are limited in any case
   * @defaultValue "macs"
   */
  readonly cost?: 'macs' | 'params' | 'flops2x' | (string & Record<never, never>) | readonly ('macs' | 'params' | 'flops2x' | (string & Record<never, never>))[] | undefined;
  /** what the linear relaxation takes a neuron to cost */
  readonly costEstimate?: {
    /**
     * what a neuron costs in the linear program: `marginal`, or `own-layer`
     * @defaultValue "marginal"
     */
    readonly estimate?: 'marginal' | 'own-layer' | undefined;
    /**
     * applied to that: `none`, `sqrt`, `log`
     * @defaultValue "none"
     */
    readonly transform?: 'none' | 'sqrt' | 'log' | undefined;
  } | undefined;
  /**
   * budgets of the linear program: `total`, or `two-groups` of layers
   * @defaultValue "total"
   */
  readonly budgets?: 'total' | 'two-groups' | undefined;
  /**
   * share of a layer that a stage may split, or largest widths by layer; null: no limit
   * @defaultValue null
   */
  readonly layerCap?: number | Readonly<Record<string, number>> | null | undefined;
  /**
   * `false`: `growthRatio` limits only the estimate
   * @defaultValue true
   */
  readonly hardLimit?: boolean | undefined;
  /** new neurons beside splits, at the same cost */
  readonly insertion?: {
    /**
     * new neurons beside splits: `none`, `pairs` of equal fan-in and opposite fan-out, or `gradmax`
     * @defaultValue "none"
     */
    readonly kind?: 'none' | 'pairs' | 'gradmax' | undefined;
    /**
     * share of the chosen neurons, the worst ones, that become new neurons
     * @defaultValue 0.5
     */
    readonly share?: number | undefined;
  } | undefined;
  /** from the relaxation to whole neurons */
  readonly rounding?: {
    /**
     * how shares of the linear program become neurons: `exchange` or `threshold`
     * @defaultValue "exchange"
     */
    readonly kind?: 'exchange' | 'threshold' | undefined;
    /**
     * of `threshold`: least share of a neuron that is split
     * @defaultValue 0.99
     */
    readonly threshold?: number | undefined;
  } | undefined;
  /**
   * momentum after growth: `reset`, or `keep` (shared out)
   * @defaultValue "reset"
   */
  readonly optimizerState?: 'reset' | 'keep' | undefined;
  /**
   * `false`: the step of a layer is not halved when its inputs are split too
   * @defaultValue true
   */
  readonly directionHalving?: boolean | undefined;
  /**
   * mode of batch norm after depthwise convolutions during indices: `eval` or `train`
   * @defaultValue "eval"
   */
  readonly depthwiseBatchNorm?: 'eval' | 'train' | undefined;
  /**
   * sharpness of the softplus that stands for relu in second derivatives
   * @defaultValue 3
   */
  readonly reluBeta?: number | undefined;
  /**
   * second derivative of a chain without activation
   * @defaultValue 0
   */
  readonly identityCurvature?: number | undefined;
  /**
   * training images for the indices; null: all, or 2048 for `lobpcg` and `auto`
   * @defaultValue null
   */
  readonly images?: number | null | undefined;
  /**
   * bytes that the exact method may take, and lobpcg for what it keeps of the images
   * @defaultValue 1073741824
   */
  readonly memoryLimit?: number | undefined;
}

/** The `stop` of an experiment: when growth ends: after so many stages, at so many MACs, or both. */
export interface StopInput {
  /** splitting stages: n leave `stage-0` to `stage-n` */
  readonly stages?: number | undefined;
  /** no network ever has more MACs */
  readonly macs?: number | undefined;
  /** no network ever costs more: an object of limits by name, the names of `splitting.cost` but `macs` */
  readonly costs?: Readonly<Record<string, number>> | undefined;
}

/** The `checkpoint` of an experiment: how often a run is kept, and how much of it. */
export interface CheckpointInput {
  /**
   * most minutes of work that a kill loses; 0: checkpoints only after epochs
   * @defaultValue 10
   */
  readonly minutes?: number | undefined;
  /**
   * how many checkpoints stay
   * @defaultValue 2
   */
  readonly keep?: number | undefined;
  /**
   * most bytes of half-summed exact matrices in a checkpoint; larger sums start again after a kill
   * @defaultValue 268435456
   */
  readonly indicesBytes?: number | undefined;
  /**
   * epochs between evaluations; the best network of each stage is kept; 0: only at the end of a stage
   * @defaultValue 0
   */
  readonly evaluateEvery?: number | undefined;
}

/** The `deliver` of an experiment: which network `output/best` holds: a name, or an object with these members. */
export type DeliverInput = 'grown' | 'retrain' | 'best' | {
  /**
   * `grown`: the last grown network (the paper's); `retrain`: its architecture, trained from scratch; `best`: whichever of the two is better on validation images
   * @defaultValue "grown"
   */
  readonly which?: 'grown' | 'retrain' | 'best' | undefined;
  /**
   * multiply-adds of growth and of training again together; null: for training again as many as growth took
   * @defaultValue null
   */
  readonly compute?: number | null | undefined;
  /**
   * full rate of training from scratch; null: `fit.optimizer.learningRate`
   * @defaultValue null
   */
  readonly learningRate?: number | null | undefined;
  /**
   * every stage is delivered so: `output/delivered/stage-k` besides `output/best`
   * @defaultValue false
   */
  readonly stages?: boolean | undefined;
};

/** A rival with its options. */
export type CompareEntryInput = {
  /** how the rival is made */
  readonly method: 'width-multiplier';
  /** which grown networks set the MACs: `last` (so without `targets`), or `stages` from 1 on */
  readonly at?: 'last' | 'stages' | undefined;
  /** MACs, instead of `at`; trained for `compute`, without it for the epochs of one stage */
  readonly targets?: readonly number[] | undefined;
  /**
   * `compute`: each target has the multiply-adds that the run spent up to it, for all trainings; `epochs`: its epochs; `retrain` has its own
   * @defaultValue "compute"
   */
  readonly equal?: 'compute' | 'epochs' | undefined;
  /** multiply-adds of each target, instead of the run's */
  readonly compute?: number | undefined;
  /**
   * rate of all its trainings; null: the run's
   * @defaultValue null
   */
  readonly learningRate?: number | null | undefined;
} | {
  /** how the rival is made */
  readonly method: 'resolution-multiplier';
  /** which grown networks set the MACs: `last` (so without `targets`), or `stages` from 1 on */
  readonly at?: 'last' | 'stages' | undefined;
  /** MACs, instead of `at`; trained for `compute`, without it for the epochs of one stage */
  readonly targets?: readonly number[] | undefined;
  /**
   * `compute`: each target has the multiply-adds that the run spent up to it, for all trainings; `epochs`: its epochs; `retrain` has its own
   * @defaultValue "compute"
   */
  readonly equal?: 'compute' | 'epochs' | undefined;
  /** multiply-adds of each target, instead of the run's */
  readonly compute?: number | undefined;
  /**
   * rate of all its trainings; null: the run's
   * @defaultValue null
   */
  readonly learningRate?: number | null | undefined;
  /**
   * what is made smaller: `widest` (the seed network, wider) or `grown` (the last network of the run)
   * @defaultValue "widest"
   */
  readonly base?: 'widest' | 'grown' | undefined;
  /** of `widest`: its MACs over the largest target; left out: 1 for `resolution-multiplier`, else 2 */
  readonly baseMultiplier?: number | undefined;
} | {
  /** how the rival is made */
  readonly method: 'prune-l1';
  /** which grown networks set the MACs: `last` (so without `targets`), or `stages` from 1 on */
  readonly at?: 'last' | 'stages' | undefined;
  /** MACs, instead of `at`; trained for `compute`, without it for the epochs of one stage */
  readonly targets?: readonly number[] | undefined;
  /**
   * `compute`: each target has the multiply-adds that the run spent up to it, for all trainings; `epochs`: its epochs; `retrain` has its own
   * @defaultValue "compute"
   */
  readonly equal?: 'compute' | 'epochs' | undefined;
  /** multiply-adds of each target, instead of the run's */
  readonly compute?: number | undefined;
  /**
   * rate of all its trainings; null: the run's
   * @defaultValue null
   */
  readonly learningRate?: number | null | undefined;
  /**
   * what is made smaller: `widest` (the seed network, wider) or `grown` (the last network of the run)
   * @defaultValue "widest"
   */
  readonly base?: 'widest' | 'grown' | undefined;
  /** of `widest`: its MACs over the largest target; left out: 1 for `resolution-multiplier`, else 2 */
  readonly baseMultiplier?: number | undefined;
  /**
   * epochs of the base; null: half of the compute (all `lambdas` together), or those of the largest target; none for `prune-l1` of a grown network
   * @defaultValue null
   */
  readonly pretrainEpochs?: number | null | undefined;
  /**
   * epochs of fine-tuning; null: what is left, or those of the target
   * @defaultValue null
   */
  readonly epochs?: number | null | undefined;
} | {
  /** how the rival is made */
  readonly method: 'prune-bn';
  /** which grown networks set the MACs: `last` (so without `targets`), or `stages` from 1 on */
  readonly at?: 'last' | 'stages' | undefined;
  /** MACs, instead of `at`; trained for `compute`, without it for the epochs of one stage */
  readonly targets?: readonly number[] | undefined;
  /**
   * `compute`: each target has the multiply-adds that the run spent up to it, for all trainings; `epochs`: its epochs; `retrain` has its own
   * @defaultValue "compute"
   */
  readonly equal?: 'compute' | 'epochs' | undefined;
  /** multiply-adds of each target, instead of the run's */
  readonly compute?: number | undefined;
  /**
   * rate of all its trainings; null: the run's
   * @defaultValue null
   */
  readonly learningRate?: number | null | undefined;
  /**
   * what is made smaller: `widest` (the seed network, wider) or `grown` (the last network of the run)
   * @defaultValue "widest"
   */
  readonly base?: 'widest' | 'grown' | undefined;
  /** of `widest`: its MACs over the largest target; left out: 1 for `resolution-multiplier`, else 2 */
  readonly baseMultiplier?: number | undefined;
  /**
   * epochs of the base; null: half of the compute (all `lambdas` together), or those of the largest target; none for `prune-l1` of a grown network
   * @defaultValue null
   */
  readonly pretrainEpochs?: number | null | undefined;
  /**
   * epochs of fine-tuning; null: what is left, or those of the target
   * @defaultValue null
   */
  readonly epochs?: number | null | undefined;
  /**
   * strength of the sparsity penalty on batch-norm scales (Liu et al. 2017)
   * @defaultValue 0.0001
   */
  readonly strength?: number | undefined;
} | {
  /** how the rival is made */
  readonly method: 'morphnet';
  /** which grown networks set the MACs: `last` (so without `targets`), or `stages` from 1 on */
  readonly at?: 'last' | 'stages' | undefined;
  /** MACs, instead of `at`; trained for `compute`, without it for the epochs of one stage */
  readonly targets?: readonly number[] | undefined;
  /**
   * `compute`: each target has the multiply-adds that the run spent up to it, for all trainings; `epochs`: its epochs; `retrain` has its own
   * @defaultValue "compute"
   */
  readonly equal?: 'compute' | 'epochs' | undefined;
  /** multiply-adds of each target, instead of the run's */
  readonly compute?: number | undefined;
  /**
   * rate of all its trainings; null: the run's
   * @defaultValue null
   */
  readonly learningRate?: number | null | undefined;
  /**
   * what is made smaller: `widest` (the seed network, wider) or `grown` (the last network of the run)
   * @defaultValue "widest"
   */
  readonly base?: 'widest' | 'grown' | undefined;
  /** of `widest`: its MACs over the largest target; left out: 1 for `resolution-multiplier`, else 2 */
  readonly baseMultiplier?: number | undefined;
  /**
   * epochs of the base; null: half of the compute (all `lambdas` together), or those of the largest target; none for `prune-l1` of a grown network
   * @defaultValue null
   */
  readonly pretrainEpochs?: number | null | undefined;
  /**
   * strengths of the regulariser, a training each
   * @defaultValue [1e-8,5e-8,1e-9,5e-9,1e-10]
   */
  readonly lambdas?: readonly number[] | undefined;
  /**
   * a channel lives when its batch-norm scale is above
   * @defaultValue 0.01
   */
  readonly threshold?: number | undefined;
} | {
  /** how the rival is made */
  readonly method: 'morphnet-authors';
  /** which grown networks set the MACs: `last` (so without `targets`), or `stages` from 1 on */
  readonly at?: 'last' | 'stages' | undefined;
  /** MACs, instead of `at`; trained for `compute`, without it for the epochs of one stage */
  readonly targets?: readonly number[] | undefined;
  /**
   * `compute`: each target has the multiply-adds that the run spent up to it, for all trainings; `epochs`: its epochs; `retrain` has its own
   * @defaultValue "compute"
   */
  readonly equal?: 'compute' | 'epochs' | undefined;
  /** multiply-adds of each target, instead of the run's */
  readonly compute?: number | undefined;
  /**
   * rate of all its trainings; null: the run's
   * @defaultValue null
   */
  readonly learningRate?: number | null | undefined;
  /**
   * what is made smaller: `widest` (the seed network, wider) or `grown` (the last network of the run)
   * @defaultValue "widest"
   */
  readonly base?: 'widest' | 'grown' | undefined;
  /** of `widest`: its MACs over the largest target; left out: 1 for `resolution-multiplier`, else 2 */
  readonly baseMultiplier?: number | undefined;
  /**
   * epochs of the base; null: half of the compute (all `lambdas` together), or those of the largest target; none for `prune-l1` of a grown network
   * @defaultValue null
   */
  readonly pretrainEpochs?: number | null | undefined;
  /**
   * strengths of the regulariser, a training each
   * @defaultValue [1e-8,5e-8,1e-9,5e-9,1e-10]
   */
  readonly lambdas?: readonly number[] | undefined;
  /**
   * a channel lives when its batch-norm scale is above
   * @defaultValue 0.01
   */
  readonly threshold?: number | undefined;
} | {
  /** how the rival is made */
  readonly method: 'scratch';
  /** which grown networks set the MACs: `last` (so without `targets`), or `stages` from 1 on */
  readonly at?: 'last' | 'stages' | undefined;
  /** MACs, instead of `at`; trained for `compute`, without it for the epochs of one stage */
  readonly targets?: readonly number[] | undefined;
  /**
   * `compute`: each target has the multiply-adds that the run spent up to it, for all trainings; `epochs`: its epochs; `retrain` has its own
   * @defaultValue "compute"
   */
  readonly equal?: 'compute' | 'epochs' | undefined;
  /** multiply-adds of each target, instead of the run's */
  readonly compute?: number | undefined;
  /**
   * rate of all its trainings; null: the run's
   * @defaultValue null
   */
  readonly learningRate?: number | null | undefined;
} | {
  /** how the rival is made */
  readonly method: 'retrain';
  /** which grown networks set the MACs: `last` (so without `targets`), or `stages` from 1 on */
  readonly at?: 'last' | 'stages' | undefined;
  /** MACs, instead of `at`; trained for `compute`, without it for the epochs of one stage */
  readonly targets?: readonly number[] | undefined;
  /**
   * `compute`: each target has the multiply-adds that the run spent up to it, for all trainings; `epochs`: its epochs; `retrain` has its own
   * @defaultValue "compute"
   */
  readonly equal?: 'compute' | 'epochs' | undefined;
  /** multiply-adds of each target, instead of the run's */
  readonly compute?: number | undefined;
  /**
   * rate of all its trainings; null: the run's
   * @defaultValue null
   */
  readonly learningRate?: number | null | undefined;
  /**
   * epochs of the full schedule; null: the total epochs of the whole run, whatever the stage
   * @defaultValue null
   */
  readonly epochs?: number | null | undefined;
};

/** The `compare` of an experiment: rivals trained after the run: names, or objects with these members. */
export type CompareInput = readonly (CompareEntryInput | CompareEntryInput['method'])[];

/** One experiment as it is written; members with a default may be left out. `defineExperiment` completes it in an editor. */
export interface ExperimentInput {
  /** for editors alone: the JSON Schema to complete the file by */
  readonly $schema?: string | undefined;
  /** name of the run: any text */
  readonly name: string;
  /**
   * defaults of the fields that are left out: `paper`, which are those of this table, or `growth`
   * @defaultValue "paper"
   */
  readonly recipe?: 'paper' | 'growth' | undefined;
  /** parametric updates: epochs, minibatch, optimizer, schedule */
  readonly fit?: FitInput | undefined;
  /** splitting indices, choice of neurons and growth */
  readonly splitting?: SplittingInput | undefined;
  /** when growth ends: after so many stages, at so many MACs, or both */
  readonly stop?: StopInput | undefined;
  /** how often a run is kept, and how much of it */
  readonly checkpoint?: CheckpointInput | undefined;
  /** which network `output/best` holds: a name, or an object with these members */
  readonly deliver?: DeliverInput | undefined;
  /**
   * rivals trained after the run: names, or objects with these members
   * @defaultValue []
   */
  readonly compare?: CompareInput | undefined;
  /**
   * decides weights, order, augmentation, directions
   * @defaultValue 0
   */
  readonly seed?: number | undefined;
  /** folder of the run; left out: `runs/<name>` */
  readonly output?: string | undefined;
  /**
   * `cpu` or `cuda`
   * @defaultValue "cpu"
   */
  readonly device?: 'cpu' | 'cuda' | undefined;
  /**
   * CPU threads; null: as LibTorch chooses
   * @defaultValue null
   */
  readonly threads?: number | null | undefined;
  /** `{ "preset": ... }` with its options, `{ "directory": ... }`, or `{ "graph": ... }`, a graph as in network.json */
  readonly network: NetworkInput;
  /** the images: a dataset by its name, or a safetensors file */
  readonly data: DataInput;
}
