"""Inference backends: ONNX Runtime, OpenVINO, and a fake one for tests."""
