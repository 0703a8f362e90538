from __future__ import annotations

import numpy as np
import onnx
import pytest

from emoscope.backends.base import INPUTS, OUTPUTS
from emoscope.emotion2vec.config import parse_config
from emoscope.emotion2vec.graph import alibi_slopes, build_graph
from emoscope.emotion2vec.layout import expected
from parity.official_folder import SIZES, config


@pytest.mark.parametrize("size", SIZES)
def test_every_tensor_is_used_and_only_standard_operators(size: str) -> None:
    network = parse_config(config(SIZES[size]))

    graph = build_graph(network)

    assert {weight.source for weight in graph.weights} == expected(network).keys()
    assert {node.domain for node in graph.proto.node} == {""}
    assert tuple(port.name for port in graph.proto.input) == INPUTS
    assert tuple(port.name for port in graph.proto.output) == OUTPUTS


def test_the_graph_without_weights_is_small() -> None:
    graph = build_graph(parse_config(config(SIZES["large"])))

    assert graph.proto.ByteSize() < 200_000


def test_distances_are_subtracted_as_integers() -> None:
    # Rounded to bfloat16 before the subtraction, far positions would lose their small distances.
    graph = build_graph(parse_config(config(SIZES["tiny"])))
    model = onnx.helper.make_model(graph.proto, opset_imports=[onnx.helper.make_opsetid("", 17)])
    types = {
        value.name: value.type.tensor_type.elem_type
        for value in onnx.shape_inference.infer_shapes(model).graph.value_info
    }

    (distance,) = [node for node in graph.proto.node if node.op_type == "Abs"]

    assert types[distance.output[0]] == onnx.TensorProto.INT64


def test_slopes_are_those_of_the_paper() -> None:
    assert alibi_slopes(1) == [2.0**-8]
    np.testing.assert_allclose(alibi_slopes(8), [2.0**-i for i in range(1, 9)])
    np.testing.assert_allclose(alibi_slopes(16), [2.0 ** (-i / 2) for i in range(1, 17)])
    # Twelve heads: the eight of eight, then every second one of sixteen.
    np.testing.assert_allclose(alibi_slopes(12), [*alibi_slopes(8), *alibi_slopes(16)[::2][:4]])
