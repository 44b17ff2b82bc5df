"""Images a second of a plain PyTorch training loop: python3 train.py NETWORK.json '{"device": ..., ...}'

channels_last, autocast to bfloat16 where asked, fused SGD, synthetic images already on the device; eager or torch.compile.
Prints one JSON document.
"""

import json
import sys
import time

import torch

from network import load


def main():
    options = json.loads(sys.argv[2])
    device, batch, steps = options["device"], options["batch"], options["steps"]
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    model = load(sys.argv[1]).to(device=device, memory_format=torch.channels_last).train()
    shape = [batch, 3, options["resolution"], options["resolution"]]
    x = torch.randn(shape, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, options["classes"], [batch], device=device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4, fused=True)
    run = torch.compile(model) if options["compile"] else model

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=options["bfloat16"]):
            loss = torch.nn.functional.cross_entropy(run(x), labels, label_smoothing=0.1)
        loss.backward()
        optimizer.step()

    def synchronize():
        if device == "cuda":
            torch.cuda.synchronize()

    start = time.perf_counter()
    for _ in range(options["warmup"]):
        step()
    synchronize()
    warm = time.perf_counter()
    for _ in range(steps):
        step()
    synchronize()
    seconds = time.perf_counter() - warm
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "imagesPerSecond": batch * steps / seconds,
                "warmupSeconds": warm - start,
            }
        )
    )


if __name__ == "__main__":
    main()
