"""Times PyTorch on a network directory and a batch file, as it is asked to: python3 measure.py FOLDER '{"layout": ..., ...}'

A worker: it prints a JSON document once it is ready, and one for each request, a line on its standard input. It has one
memory layout, and its loss is eager or torch.compile's. The training step is that of a plain script:
zero_grad(set_to_none=True), forward, cross-entropy, backward, fused SGD. The forward pass is eager, in inference mode.
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


def count_macs(model, x):
    """Multiply-adds for one image, counted by hooks while one passes; the batch norms see nothing of it."""
    total = 0

    def hook(module, inputs, output):
        nonlocal total
        if isinstance(module, torch.nn.Linear):
            total += module.weight.numel()
        else:
            total += output[0].numel() * module.weight[0].numel()

    kinds = (torch.nn.Conv2d, torch.nn.Linear)
    hooks = [module.register_forward_hook(hook) for module in model.modules() if isinstance(module, kinds)]
    model.eval()
    with torch.inference_mode():
        model(x[:1])
    for handle in hooks:
        handle.remove()
    return total


def status_bytes(row):
    """Bytes of a row of /proc/self/status."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(row + ":"):
                return 1024 * int(line.split()[1])
    raise ValueError(row)


class Worker:
    def __init__(self, folder, options):
        self.device, self.layout = options["device"], options["layout"]
        torch.set_num_threads(options["threads"])
        self.model = network_of(folder, self.device, self.layout)
        batch = read_safetensors(Path(folder) / "batch.safetensors")
        self.x = batch["images"].to(self.device).contiguous(memory_format=LAYOUTS[self.layout])
        self.labels = batch["labels"].to(self.device)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4, fused=True
        )
        self.loss = torch.compile(self.plain_loss) if options.get("compile") else self.plain_loss

    def plain_loss(self, x, labels):
        return torch.nn.functional.cross_entropy(self.model(x), labels)

    def train(self):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.x, self.labels).backward()
        self.optimizer.step()

    def times_of(self, name, request, warmup):
        if name == "train":
            self.model.train()
            return timed(self.train, self.device, request["repeats"], warmup)
        size = request.get("size", len(self.x))
        x = self.x[:size].contiguous(memory_format=LAYOUTS[self.layout])
        self.model.eval()

        def forward():
            with torch.inference_mode():
                self.model(x)

        return timed(forward, self.device, request["repeats"], warmup)

    def steps(self, request):
        found = {name: {"milliseconds": [], "peakBytes": None} for name in request["steps"]}
        # In turns, so that a slow stretch of the machine falls on both.
        for turn in range(request.get("turns", 1)):
            warmup = request["warmup"] if turn == 0 else 1
            for name in request["steps"]:
                found[name]["milliseconds"] += self.times_of(name, request, warmup)
        if request.get("peak"):
            self.model.train()
            found["train"]["peakBytes"] = peak_bytes(self.train, self.device)
        return {"steps": found}

    def resident(self, request):
        """How far the resident memory of the process rises above what it is now in some training steps."""
        self.model.train()
        # From here on the peak is that of what follows.
        Path("/proc/self/clear_refs").write_text("5")
        before = status_bytes("VmRSS")
        timed(self.train, self.device, request["repeats"], 0)
        return {"residentBytes": status_bytes("VmHWM") - before}

    def logits(self, _):
        self.model.eval()
        with torch.inference_mode():
            return {"logits": self.model(self.x).float().cpu().flatten().tolist()}

    def counts(self, _):
        """Of an image and of the model, to be held against splitgrow's."""
        params = sum(parameter.numel() for parameter in self.model.parameters())
        return {"macs": count_macs(self.model, self.x), "params": params}


def main():
    worker = Worker(sys.argv[1], json.loads(sys.argv[2]))
    answers = {
        "steps": worker.steps,
        "resident": worker.resident,
        "logits": worker.logits,
        "counts": worker.counts,
    }
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answers[request["what"]](request)), flush=True)


if __name__ == "__main__":
    main()
