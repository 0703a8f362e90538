"""Int8 quantization of linear layers: one scale per output, activations scaled per row.

The products are those of integers: a row of activations and a column of weights each have one
scale, so the float product is the integer one times both. A row's scale is its own largest
magnitude, found while it runs, so what else is in the batch cannot change it.

Rounding errs in a direction. What all frames have in common meets that error in every frame and in
every block, and there it adds up: the answer drifts. So the error of the average activation, the
``center`` of a layer, is taken off its bias.

A few inputs of a trained layer are many times as large as the others and would set the step of
every row. These outlier channels go through a small product of their own in float32.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.waveform import Array32, Indices

Array8: TypeAlias = NDArray[np.int8]

PAIR_MAX = 127
"""Largest sum of two neighbouring weights of one output that have the same sign. Without VNNI a
processor multiplies unsigned activations by signed weights and adds two neighbours in 16 bits that
saturate: 255 · (127 + 1, for rounding) = 32,640 fits, 255 · 254 does not. One file must answer the
same on every processor, and halving all weights instead would cost a whole bit."""

ACTIVATION_MAX = 127
"""Activations are rounded to [-127, 127] and stored unsigned, 128 higher."""

ZERO_POINT = 128

SMALLEST = np.float32(1e-12)
"""Of all magnitudes that a scale is made from: a row of zeros must not divide by zero."""


OUTLIER = 3.0
"""A channel whose largest magnitude is so many times the median of all is an outlier."""

OUTLIERS_MOST = 32
"""Outlier channels of one layer: the loudest. Each costs a thousandth of a product's time."""

OUTLIERS_FEW = 128
"""Where more stand out, as behind a GELU, they are no outliers: taking some away gains nothing."""


def outlier_channels(peaks: Array32) -> Indices:
    """Inputs that are multiplied in float32, in order; none where very many stand out.

    Args:
        peaks: largest magnitude of each input over some speech, ``(inputs,)``.
    """
    found = np.flatnonzero(peaks > OUTLIER * np.median(peaks))
    if len(found) > OUTLIERS_FEW:
        return found[:0]
    loudest = np.argsort(-peaks[found], kind="stable")[:OUTLIERS_MOST]
    return np.sort(found[loudest])


def without_channels(matrix: Array32, channels: Indices) -> Array32:
    """The weights with zeros for some inputs, ``(inputs, outputs)``."""
    if not len(channels):
        return matrix
    others = np.array(matrix)
    others[channels] = 0
    return others


def output_scales(matrix: Array32) -> Array32:
    """What one step of each output's weights is worth: ``(inputs, outputs)`` to ``(outputs,)``."""
    above, below = np.maximum(matrix, 0), np.minimum(matrix, 0)
    largest = np.maximum(above.max(axis=0), -below.min(axis=0))
    if len(matrix) > 1:
        pairs = (above[:-1] + above[1:]).max(axis=0), -(below[:-1] + below[1:]).min(axis=0)
        largest = np.maximum(largest, np.maximum(*pairs))
    return np.asarray(np.maximum(largest, SMALLEST) / np.float32(PAIR_MAX), np.float32)


def rounded(matrix: Array32) -> Array8:
    """The weights in steps of their output's scale, ``(inputs, outputs)``, nearest even."""
    steps: NDArray[Any] = matrix / output_scales(matrix)
    np.rint(steps, out=steps)
    return steps.astype(np.int8)


def zero_point_correction(matrix: Array32, center: Array32) -> Array32:
    """What rounding takes from the product with ``center (inputs,)``, ``(outputs,)``."""
    error = matrix - rounded(matrix) * output_scales(matrix)
    return np.asarray(center @ error, np.float32)
