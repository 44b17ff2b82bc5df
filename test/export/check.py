"""Holds exported models against the logits that are given with them. Reads a list of cases (JSON) from standard input, prints what it found (JSON).

A case: {"onnx": file, "images": raw float32 file, "shape": [N, C, H, W], "logits": [[...]], "quantise": bool}.
"""
import json
import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort

ort.set_default_logger_severity(3)


class Calibration:
    def __init__(self, images):
        self.batches = iter([{"input": images}])

    def get_next(self):
        return next(self.batches, None)


def session(model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def distance(got, want):
    """Largest difference, in parts of the largest logit."""
    return float(np.abs(got.astype(np.float64) - want).max() / max(np.abs(want).max(), 1e-6))


def quantised(model, images):
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    CalibrationDataReader.register(Calibration)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "int8.onnx")
        quantize_static(model, file, Calibration(images), quant_format=QuantFormat.QDQ, per_channel=True)
        kinds = [node.op_type for node in onnx.load(file).graph.node]
        return session(file).run(None, {"input": images})[0], kinds


def undescribed(model):
    """Inner values without a shape, or with another than onnx infers."""

    def shapes(infos):
        return {i.name: [d.dim_param or d.dim_value for d in i.type.tensor_type.shape.dim] for i in infos}

    ours = shapes(model.graph.value_info)
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    inferred = shapes(onnx.shape_inference.infer_shapes(bare, strict_mode=True).graph.value_info)
    return sorted(name for name in {*ours, *inferred} if ours.get(name) != inferred.get(name))


def examine(case):
    model = onnx.load(case["onnx"])
    onnx.checker.check_model(model, full_check=True)
    images = np.fromfile(case["images"], np.float32).reshape(case["shape"])
    want = np.array(case["logits"])
    runner = session(case["onnx"])
    together = runner.run(["logits"], {"input": images})[0]
    alone = np.concatenate([runner.run(["logits"], {"input": images[i : i + 1]})[0] for i in range(len(images))])
    found = {
        "together": distance(together, want),
        "alone": distance(alone, want),
        "ops": sorted({node.op_type for node in model.graph.node}),
        "nodes": len(model.graph.node),
        "opset": model.opset_import[0].version,
        "ir": model.ir_version,
        "input": [[d.dim_param or d.dim_value for d in i.type.tensor_type.shape.dim] for i in model.graph.input],
        "output": [[d.dim_param or d.dim_value for d in o.type.tensor_type.shape.dim] for o in model.graph.output],
        "metadata": {p.key: p.value for p in model.metadata_props},
        "undescribed": undescribed(model),
    }
    if case.get("quantise"):
        logits, kinds = quantised(case["onnx"], images)
        found["int8"] = {"distance": distance(logits, want), "ops": sorted(set(kinds))}
    return found


json.dump([examine(case) for case in json.load(sys.stdin)], sys.stdout)
