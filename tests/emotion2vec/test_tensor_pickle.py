"""Hostile checkpoints are refused. Each gadget first proves that plain pickle would run it."""

from __future__ import annotations

import contextlib
import copyreg
import io
import pickle
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoscope.emotion2vec.checkpoint import TorchFile
from emoscope.emotion2vec.tensor_pickle import StoredTensor, parse
from emoscope.errors import CheckpointError
from parity.torch_zip import (
    pickled_call,
    pickled_dict,
    pickled_file,
    pickled_global,
    pickled_int,
    pickled_str,
    pickled_tensor,
    pickled_tuple,
    write_zip,
)
from raising import raises_code

EXTENSION = 0xE5


def touch(marker: Path) -> bytes:
    """A Python expression that leaves a mark, as a pickled string."""
    return pickled_str(f"open({str(marker)!r}, 'w').close()")


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def evaluated(marker: Path) -> bytes:
    return pickled_call("builtins", "eval", touch(marker))


GADGETS: dict[str, Callable[[Path], bytes]] = {
    "os.system": lambda m: pickled_call("posix", "system", pickled_str(f"touch '{m}'")),
    "eval": evaluated,
    "exec": lambda m: pickled_call("builtins", "exec", touch(m)),
    "nested in the arguments of a harmless call": lambda m: pickled_call(
        "collections", "OrderedDict", b"](" + pickled_tuple(pickled_str("a"), evaluated(m)) + b"e"
    ),
    "beside the weights": lambda m: pickled_dict({"model": b"}", "args": evaluated(m)}),
    "as a key": lambda m: b"}" + evaluated(m) + b"Ns",
    "STACK_GLOBAL": lambda m: short("builtins") + short("eval") + b"\x93" + touch(m) + b"\x85R",
    "STACK_GLOBAL through a dotted name": lambda m: (
        short("shutil") + short("os.system") + b"\x93" + pickled_str(f"touch '{m}'") + b"\x85R"
    ),
    "getattr chain": lambda m: (
        pickled_call(
            "builtins",
            "getattr",
            pickled_call("importlib", "import_module", pickled_str("builtins")),
            pickled_str("eval"),
        )
        + touch(m)
        + b"\x85R"
    ),
    "BUILD turns a partial into another call": lambda m: (
        pickled_call("functools", "partial", pickled_global("builtins", "int"))
        + pickled_tuple(pickled_global("builtins", "eval"), pickled_tuple(touch(m)), b"}", b"N")
        + b"b)R"
    ),
    "INST": lambda m: b"(" + touch(m) + b"ibuiltins\neval\n",
    "OBJ": lambda m: b"(" + pickled_global("builtins", "eval") + touch(m) + b"o",
    "NEWOBJ": lambda m: (
        pickled_global("builtins", "map")
        + pickled_tuple(pickled_global("builtins", "eval"), b"](" + touch(m) + b"e")
        + b"\x81\x940"  # the map object waits in the memo
        + pickled_call("builtins", "list", b"h\0")
    ),
    "extension registry": lambda m: b"\x82" + bytes([EXTENSION]) + touch(m) + b"\x85R",
    "inside a persistent id": lambda m: pickled_tuple(pickled_str("storage"), evaluated(m)) + b"Q",
    "_rebuild_from_type_v2": lambda m: pickled_call(
        "torch._tensor",
        "_rebuild_from_type_v2",
        pickled_global("builtins", "eval"),
        pickled_global("builtins", "str"),
        pickled_tuple(touch(m)),
        b"}",
    ),
}


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let plain pickle find what the gadgets need, as where torch is installed."""
    module = ModuleType("torch._tensor")
    # What torch's own function does with its arguments.
    module._rebuild_from_type_v2 = lambda function, _, arguments, __: function(*arguments)
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    monkeypatch.setitem(sys.modules, "torch._tensor", module)
    copyreg.add_extension("builtins", "eval", EXTENSION)
    yield
    copyreg.remove_extension("builtins", "eval", EXTENSION)


class PlainUnpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        return pid


@pytest.mark.parametrize("name", GADGETS)
def test_a_gadget_is_refused_and_runs_nothing(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    pickled = b"\x80\x04" + GADGETS[name](marker) + b"."
    PlainUnpickler(io.BytesIO(pickled)).load()
    assert marker.exists(), "the gadget does not work, so refusing it proves nothing"
    marker.unlink()

    with raises_code("checkpoint_refused") as refused:
        parse(pickled, file="model.pt")

    assert not marker.exists()
    assert "model.pt" in refused.value.detail_zh
    assert "Nothing was run" in refused.value.detail_en


def test_a_whole_file_with_a_gadget_is_refused_and_named(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    weights = pickled_dict({"model": pickled_dict({"w": pickled_tensor("0", (1,))})})
    # Set on a good dict, after all weights.
    pickled = pickled_file(weights + pickled_str("hook") + evaluated(marker) + b"s")
    write_zip(tmp_path / "model.pt", pickled, [b"\0" * 4])

    with raises_code("checkpoint_refused", match=r"builtins\.eval"):
        TorchFile(tmp_path / "model.pt")

    assert not marker.exists()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"]" + pickled_dict({}) + b"b", id="state of a list"),
        pytest.param(pickled_tensor("0", (1,)) + pickled_dict({}) + b"b", id="state of a tensor"),
        pytest.param(b"}(" + pickled_tuple(b"N") + b"Nu", id="tuple as a key"),
        pytest.param(pickled_str("f") + b")R", id="call of a string"),
        pytest.param(pickled_global("torch", "FloatStorage") + b")R", id="call of a storage"),
        pytest.param(pickled_tuple(pickled_str("file")) + b"Q", id="another persistent id"),
        pytest.param(b"\x8f", id="a set"),
        pytest.param(b"Pid\n", id="persistent id as text"),
    ],
)
def test_more_than_tensors_and_containers_is_refused(value: bytes) -> None:
    with pytest.raises(CheckpointError, check=lambda e: e.code != "checkpoint_tensors"):
        parse(b"\x80\x04" + value + b".", file="model.pt")


@pytest.mark.parametrize(
    "pickled",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80\x02}", id="no end"),
        pytest.param(b"\x80\x02.", id="nothing on the stack"),
        pytest.param(b"\x80\x02h\x07.", id="nothing in the memo"),
        pytest.param(b"\x80\x02t.", id="no mark"),
        pytest.param(b"\x80\x02N\x86.", id="pair of one"),
        pytest.param(b"\x80\x02}(Xu.", id="cut in a string"),
        pytest.param(b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"a.", id="a text of exabytes"),
        pytest.param(b"\x80\x04B" + struct.pack("<I", 2**32 - 1) + b"a.", id="bytes of 4 GB"),
        pytest.param(b"\xff\xfe<html>", id="no pickle"),
        pytest.param(pickled_file(pickled_tensor("0", (3,), numel=2)), id="shape past its end"),
        pytest.param(pickled_file(pickled_tensor("0", (2,), offset=-1)), id="negative offset"),
        pytest.param(pickled_file(pickled_tensor("0", (2,), offset=1)), id="offset past its end"),
        pytest.param(pickled_file(pickled_tensor("0", (2,), strides=(-1,))), id="negative stride"),
        pytest.param(pickled_file(pickled_tensor("0", (2,), strides=(2,))), id="stride past end"),
        pytest.param(pickled_file(pickled_tensor("0", (2,), strides=(1, 1))), id="two strides"),
        pytest.param(
            pickled_file(pickled_tensor("0", (10**9, 10**9), numel=1, strides=(0, 0))),
            id="one number seen as exabytes",
        ),
        pytest.param(
            pickled_file(pickled_tensor("0", (1,) * 40)), id="more dimensions than arrays have"
        ),
    ],
)
def test_a_damaged_list_of_tensors_is_told(pickled: bytes) -> None:
    with raises_code("checkpoint_damaged", match=r"model\.pt"):
        parse(pickled, file="model.pt")


def test_a_huge_memo_index_costs_nothing() -> None:
    # The C unpickler would allocate 16 GB for it.
    assert parse(b"\x80\x02}r\xff\xff\xff\x7f.", file="model.pt") == {}


def test_deep_nesting_is_no_crash() -> None:
    deep = parse(b"\x80\x04N" + b"\x85" * 100_000 + b".", file="model.pt")
    while deep is not None:  # taken apart by hand, as comparing would recurse
        (deep,) = deep


def test_what_torch_save_writes_is_read() -> None:
    ordered = pickled_call("collections", "OrderedDict") + pickled_str("w")
    ordered += pickled_call("torch._utils", "_rebuild_parameter", pickled_tensor("0", (2, 3)))
    metadata = pickled_dict({"_metadata": b"}"}) + b"b"
    pickled = pickled_dict({"model": ordered + b"s" + metadata, "epoch": pickled_int(3)})

    content = parse(pickled_file(pickled), file="model.pt")

    assert content["epoch"] == 3
    tensor = content["model"]["w"]
    assert isinstance(tensor, StoredTensor)
    assert (tensor.shape, tensor.strides, tensor.storage.numel) == ((2, 3), (3, 1), 6)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_change_of_a_pickle_makes_it_do_anything_but_parse_or_be_refused(
    data: st.DataObject,
) -> None:
    weights = pickled_dict({"w": pickled_tensor("0", (2, 3)), "v": pickled_tensor("1", (4,))})
    pickled = bytearray(pickled_file(pickled_dict({"model": weights, "epoch": pickled_int(3)})))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(pickled) - 1))
        pickled[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    with contextlib.suppress(CheckpointError):
        parse(bytes(pickled), file="model.pt")


def test_a_name_with_a_broken_escape_is_damage() -> None:
    """Found by fuzzing: pickletools warns of it and goes on."""
    with raises_code("checkpoint_damaged"):
        parse(b"cos\\\nsystem\n.", file="model.pt")
