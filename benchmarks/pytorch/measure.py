"""Times PyTorch eager on a network directory and a batch file: python3 measure.py FOLDER '{"layout": ..., ...}'

One process measures one memory layout and prints one JSON document. The training step is that of a plain script:
zero_grad(set_to_none=True), forward, cross-entropy, backward, fused SGD. The forward pass runs in inference mode.
"""

import json
import sys
import time
from pathlib import Path

import torch

from network import load

DTYPES = {"F32": torch.float32, "I64": torch.int64}
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def read_safetensors(path):
    """Tensors of a safetensors file by name, without the safetensors package."""
    data = Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        flat = torch.frombuffer(bytearray(data[begin:end]), dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def network_of(folder, device, layout):
    model = load(Path(folder) / "network.json")
    named = model.named()
    with torch.no_grad():
        for name, tensor in read_safetensors(Path(folder) / "weights.safetensors").items():
            named[name].copy_(tensor)
    return model.to(device=device, memory_format=LAYOUTS[layout])


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def timed(step, device, repeats, warmup):
    """Milliseconds of each repeat after the warm-up."""
    times = []
    for i in range(warmup + repeats):
        synchronize(device)
        start = time.perf_counter()
        step()
        synchronize(device)
        if i >= warmup:
            times.append(1000 * (time.perf_counter() - start))
    return times


def peak_bytes(step, device):
    """Peak of tensor memory during one step, above what was held before it; None where it cannot be told."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    try:
        from torch.profiler import ProfilerActivity, profile

        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            step()
        events = [e for e in profiler.profiler.kineto_results.events() if e.name() == "[memory]"]
        events.sort(key=lambda event: event.start_ns())
        held = peak = 0
        for event in events:
            held += event.nbytes()
            peak = max(peak, held)
        return peak if peak > 0 else None
    except Exception as error:  # the profiler's inner interface is not a promise
        print(f"peak memory cannot be told: {error}", file=sys.stderr)
        return None


def main():
    folder, options = sys.argv[1], json.loads(sys.argv[2])
    device, layout = options["device"], options["layout"]
    torch.set_num_threads(options["threads"])
    model = network_of(folder, device, layout)
    batch = read_safetensors(Path(folder) / "batch.safetensors")
    x = batch["images"].to(device).contiguous(memory_format=LAYOUTS[layout])
    labels = batch["labels"].to(device)

    model.eval()
    with torch.inference_mode():
        logits = model(x).float().cpu().flatten().tolist()

    def forward():
        with torch.inference_mode():
            model(x)

    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4, fused=True)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()

    forward_times, train_times = [], []
    # In turns, so that a slow stretch of the machine falls on both.
    for turn in range(options["turns"]):
        warmup = options["warmup"] if turn == 0 else 1
        model.eval()
        forward_times += timed(forward, device, options["repeats"], warmup)
        model.train()
        train_times += timed(train, device, options["repeats"], warmup)
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "threads": torch.get_num_threads(),
                "logits": logits,
                "steps": {
                    "forward": {"milliseconds": forward_times, "peakBytes": None},
                    "train": {"milliseconds": train_times, "peakBytes": peak_bytes(train, device)},
                },
            }
        )
    )


if __name__ == "__main__":
    main()
