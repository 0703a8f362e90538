"""Conversion of official Emotion2Vec+ weights to one ONNX file, without torch."""
