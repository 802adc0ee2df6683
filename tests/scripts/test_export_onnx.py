"""export_onnx.py: the ONNX file gives the logits of the exported model."""

import importlib.util
import json

import numpy as np
import pytest

import export_onnx
from helpers.exported import CLASSES, random_clips, write_model
from helpers.script_call import call
from video3d.evaluation.predictor import Predictor


def test_onnx_equals_the_exported_model(tmp_path):
    pytest.importorskip("paddle2onnx", reason="needs paddle2onnx and onnxruntime, which the workflow does not")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    model = write_model(tmp_path / "model")
    result = call(export_onnx.main, "--model", model, "--output", tmp_path / "model.onnx")
    assert result.returncode == 0, result.stderr
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    clips = random_clips(3)
    logits = session.run(None, {"clips": clips})[0]
    np.testing.assert_allclose(logits, Predictor(model, device="cpu")(clips), atol=1e-4, rtol=0)
    assert json.loads(session.get_modelmeta().custom_metadata_map["video3d"])["labels"] == CLASSES


@pytest.mark.skipif(importlib.util.find_spec("paddle2onnx") is not None, reason="paddle2onnx is installed")
def test_what_to_install_is_said(tmp_path):
    model = write_model(tmp_path / "model")
    result = call(export_onnx.main, "--model", model, "--output", tmp_path / "model.onnx")
    assert "pip install paddle2onnx" in result.stderr
    assert not (tmp_path / "model.onnx").exists()
