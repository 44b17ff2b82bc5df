"""Times torchvision's loader on a folder of classes: python3 loader.py FOLDER '{"workers": ..., ...}'

ImageFolder (Pillow) with RandomResizedCrop and mirroring as in training, and Resize and CenterCrop as in evaluation, ToTensor, in a
DataLoader with worker processes. A pass over the images warms the file cache; prints one JSON document.
"""

import json
import resource
import sys
import time

import PIL
import torch
import torchvision
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import ImageFolder


def cpu_seconds():
    """Of this process and of workers that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def timed(folder, transform, options):
    data = ImageFolder(folder, transform)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
    chosen = Subset(data, order[: options["images"]].tolist())
    loader = DataLoader(chosen, batch_size=options["batch"], num_workers=options["workers"])
    start, cpu = time.perf_counter(), cpu_seconds()
    images = sum(len(labels) for _, labels in loader)
    seconds = time.perf_counter() - start
    # The iterator is gone, so its workers have ended and are counted.
    return {
        "images": images,
        "seconds": seconds,
        "imagesPerSecond": images / seconds,
        "imagesPerCoreSecond": images / (cpu_seconds() - cpu),
    }


def main():
    folder, options = sys.argv[1], json.loads(sys.argv[2])
    torch.set_num_threads(1)
    side = options["resolution"]
    train = transforms.Compose(
        [transforms.RandomResizedCrop(side), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
    )
    evaluation = transforms.Compose(
        [transforms.Resize(round(side * 256 / 224)), transforms.CenterCrop(side), transforms.ToTensor()]
    )
    timed(folder, evaluation, options)
    document = {
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "pillow": PIL.__version__,
        "train": timed(folder, train, options),
        "evaluation": timed(folder, evaluation, options),
    }
    print(json.dumps(document))


main()
