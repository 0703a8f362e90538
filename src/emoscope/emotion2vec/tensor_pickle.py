"""Safe reader of the pickle inside a checkpoint; none of it is executed.

``pickle.Unpickler`` calls what it is told to call, and even with a restricted ``find_class`` it
still runs ``__setstate__``, hashes keys of any depth and allocates what a length field asks for.
So nothing is unpickled here: ``pickletools`` decodes the opcodes, and a stack machine that knows
dicts, lists, tuples, numbers, strings and the few names ``torch.save`` uses for a tensor builds
plain values. A name is only ever compared with that list; nothing is imported or called.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from emoscope.errors import CheckpointError
from emoscope.messages.reasons import reason

DTYPES = {
    "torch FloatStorage": "float32",
    "torch HalfStorage": "float16",
    "torch BFloat16Storage": "bfloat16",
    "torch DoubleStorage": "float64",
    "torch LongStorage": "int64",
    "torch IntStorage": "int32",
    "torch ShortStorage": "int16",
    "torch CharStorage": "int8",
    "torch ByteStorage": "uint8",
    "torch BoolStorage": "bool",
}
"""How the pickle names a storage -> what its numbers are."""

_MAX_DIMENSIONS = 16
_MALFORMED = (ValueError, IndexError, KeyError, TypeError, AttributeError)
"""What opcodes in a senseless order lead to."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Tensor storage, kept outside the pickle under ``key``."""

    key: str
    dtype: str
    numel: int


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A view of a storage: offset and strides count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Name:
    """An allowed global: a marker that cannot be called."""

    name: str


def parse(pickled: bytes, *, file: str) -> Any:
    """Read a pickle that holds tensors and plain containers.

    Args:
        pickled: the bytes of ``data.pkl``.
        file: what errors call the checkpoint.

    Raises:
        CheckpointError: it asks for anything else; nothing was run.
        CheckpointError: it is not a whole pickle.
    """
    machine = _Machine(file)
    try:
        with warnings.catch_warnings():
            # A name with a broken escape is only warned of by pickletools: it is damage.
            warnings.simplefilter("error", DeprecationWarning)
            for opcode, argument, _ in pickletools.genops(pickled):
                if opcode.name == "STOP":
                    return machine.pop()
                action = _ACTIONS.get(opcode.name)
                if action is None:
                    raise CheckpointError(
                        "checkpoint_refused", file=file, what=f"the pickle opcode {opcode.name}"
                    )
                action(machine, argument)
    except CheckpointError:
        raise
    except (*_MALFORMED, DeprecationWarning) as exc:
        raise _damaged(file) from exc
    raise _damaged(file)


def _damaged(file: str) -> CheckpointError:
    return CheckpointError(
        "checkpoint_damaged",
        file=file,
        **reason("tensor_list"),
    )


class _Machine:
    """Stack machine for the subset of pickle opcodes that build plain values."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def refuse(self, what: str) -> CheckpointError:
        return CheckpointError("checkpoint_refused", file=self.file, what=what)

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        return self.stack.pop()

    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def pop_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def take(self, count: int) -> None:
        """Replace the last ``count`` values by their tuple."""
        if len(self.stack) < count:
            raise IndexError("stack underflow")
        items = tuple(self.stack[-count:])
        self.stack[-count:] = [items]

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        keys = items[::2]
        # Other keys could be tuples of any depth, whose hash overflows the C stack.
        if type(target) is not dict or not all(type(key) in (str, int) for key in keys):
            raise self.refuse("a container that is no plain dict")
        target.update(zip(keys, items[1::2], strict=True))

    def append(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise self.refuse("a container that is no plain list")
        self.stack[-1].extend(items)

    def find(self, name: str) -> None:
        if name not in _REDUCERS and name not in DTYPES:
            raise self.refuse(".".join(name.split(" ", 1)))
        self.push(_Name(name))

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        if type(name) is not str or type(module) is not str:
            raise self.refuse("a computed name")
        self.find(f"{module} {name}")

    def persistent(self) -> None:
        """``("storage", type, key, device, numel)`` -> Storage."""
        kind, storage, key, _, numel = self.pop()
        if kind != "storage" or type(storage) is not _Name or storage.name not in DTYPES:
            raise self.refuse("a persistent id that is no storage")
        if type(key) is not str or type(numel) is not int or numel < 0:
            raise ValueError("malformed storage")
        self.push(Storage(key, DTYPES[storage.name], numel))

    def reduce(self) -> None:
        arguments, function = self.pop(), self.pop()
        if type(function) is not _Name or function.name not in _REDUCERS:
            raise self.refuse("a call of something that is no function of the list")
        self.push(_REDUCERS[function.name](*arguments))

    def build(self) -> None:
        """Drop the attributes of a dict: ``state_dict`` has ``_metadata``, which is no weight."""
        self.pop()
        if type(self.stack[-1]) is not dict:
            raise self.refuse("the state of an object")


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> StoredTensor:
    numbers = (offset, *shape, *strides)
    if type(storage) is not Storage or len(shape) != len(strides) or len(shape) > _MAX_DIMENSIONS:
        raise ValueError("malformed tensor")
    if not all(type(number) is int and 0 <= number < 2**63 for number in numbers):
        raise ValueError("malformed tensor")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    # The second half refuses views that repeat numbers: a few bytes could ask for terabytes.
    if prod(shape) and (last >= storage.numel or prod(shape) > storage.numel):
        raise ValueError("a tensor reaches past its storage")
    return StoredTensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(tensor: Any, *_: Any) -> StoredTensor:
    if type(tensor) is not StoredTensor:
        raise ValueError("a parameter that is no tensor")
    return tensor


def _ordered(items: Any = ()) -> dict[Any, Any]:
    if any(type(key) is not str for key, _ in items):
        raise ValueError("malformed dict")
    return dict(items)


_REDUCERS: dict[str, Callable[..., Any]] = {
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_tensor": _tensor,
    "torch._utils _rebuild_parameter": _parameter,
    "torch Size": tuple,
    "collections OrderedDict": _ordered,
}
"""The names that may be called in a pickle -> what is done instead."""

_LITERALS = (
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
)  # fmt: skip

_ACTIONS: dict[str, Callable[[_Machine, Any], object]] = {
    **dict.fromkeys(_LITERALS, _Machine.push),
    **dict.fromkeys(("PROTO", "FRAME"), lambda *_: None),
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "MARK": lambda m, _: m.mark(),
    "TUPLE": lambda m, _: m.push(tuple(m.pop_mark())),
    "TUPLE1": lambda m, _: m.take(1),
    "TUPLE2": lambda m, _: m.take(2),
    "TUPLE3": lambda m, _: m.take(3),
    "SETITEM": lambda m, _: m.set_items([m.pop(), m.pop()][::-1]),
    "SETITEMS": lambda m, _: m.set_items(m.pop_mark()),
    "APPEND": lambda m, _: m.append([m.pop()]),
    "APPENDS": lambda m, _: m.append(m.pop_mark()),
    # A dict, so that a huge index costs nothing.
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), lambda m, i: m.memo.update({i: m.stack[-1]})),
    "MEMOIZE": lambda m, _: m.memo.update({len(m.memo): m.stack[-1]}),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda m, i: m.push(m.memo[i])),
    "GLOBAL": lambda m, name: m.find(name),
    "STACK_GLOBAL": lambda m, _: m.stack_global(),
    "BINPERSID": lambda m, _: m.persistent(),
    "REDUCE": lambda m, _: m.reduce(),
    "BUILD": lambda m, _: m.build(),
}
"""The opcodes that ``torch.save`` writes, protocols 2 to 5; all others are refused."""
