"""Evaluation of a model on labelled recordings, with repeatable figures."""
