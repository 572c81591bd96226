"""A GPU that is not there: tensors whose device is "sim", computed on the CPU.

As on a real GPU, an operation that mixes them with tensors of the CPU is an error, and so are
`.numpy()` and a generator of the CPU. As on Apple's MPS, there is no float64. So code that forgets
a `.to(device)` fails on a machine without a GPU. docs/guides/gpu.md says what is not simulated.

    with simulated_gpu() as trained:
        device = torch.accelerator.current_accelerator()   # sim
        ...                                                # trained: device types of what learned
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
from lightning.fabric.accelerators import ACCELERATOR_REGISTRY, CPUAccelerator
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from discom.hardware import ACCELERATORS, HIDE

NAME = "sim"
SETUP = getattr(backend_registration, "_setup_privateuseone_for_python_backend", None)
AVAILABLE = SETUP is not None and not torch.accelerator.is_available()
LACKS = "torch can simulate no device: it is older than 2.9, or has a GPU"
COPIES = {"aten._to_copy.default", "aten.copy_.default"}  # may read one device and write the other
INDEXING = {"aten.index.Tensor", "aten.index_put_.default", "aten.index_put.default"}


class _Module:
    """What torch asks of `torch.sim`, as of `torch.cuda`."""

    entered = False  # within `simulated_gpu`; elsewhere torch.accelerator finds no device
    stored = False  # whether anything has been there

    def is_available(self):
        return self.entered

    def device_count(self):
        return int(self.entered)

    def is_initialized(self):
        return True

    def current_device(self):
        return 0

    def set_device(self, device):
        pass

    def synchronize(self, device=None):
        pass

    def manual_seed_all(self, seed):
        pass

    def get_rng_state(self, device=0):
        return torch.get_rng_state()

    def set_rng_state(self, state, device=0):
        pass

    def get_amp_supported_dtype(self):
        return [torch.bfloat16, torch.float16]

    def get_device_name(self, device=None):
        return "simulated GPU"

    def max_memory_allocated(self, device=None):
        return self.stored * 2**20  # memory is not simulated: 1 MB once anything has been there

    def reset_peak_memory_stats(self, device=None):
        pass

    def mem_get_info(self, device=None):
        return 2**30, 2**31

    def _is_in_bad_fork(self):
        return False


class _Accelerator(CPUAccelerator):
    """What Fabric asks of the device."""

    def setup_device(self, device):
        assert device.type == NAME


MODULE = _Module()


if AVAILABLE:  # before any backward pass, which counts the devices once in a process
    SETUP(NAME, backend_module=MODULE)
    AUTOCAST = torch.library.Library("_", "IMPL")  # passed through
    AUTOCAST.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    ACCELERATOR_REGISTRY.register(NAME, _Accelerator)
    ACCELERATORS.add(NAME)


class SimulatedTensor(torch.Tensor):
    """A CPU tensor `inner` that says it is on the device."""

    @staticmethod
    def __new__(cls, inner):
        if inner.dtype in (torch.float64, torch.complex128):
            raise TypeError(f"{NAME} has no float64, as Apple's MPS has none")
        MODULE.stored = True
        how = {"strides": inner.stride(), "storage_offset": inner.storage_offset()}
        how |= {"dtype": inner.dtype, "device": torch.device(NAME, 0)}
        return torch.Tensor._make_wrapper_subclass(cls, inner.size(), **how)

    def __init__(self, inner):
        self.inner = inner

    def __repr__(self):
        return f"SimulatedTensor({self.inner!r})"

    def __reduce_ex__(self, protocol):  # a file is read on a machine without the device
        return self.inner.__reduce_ex__(protocol)

    def __format__(self, form):
        return format(self.inner, form)

    def tolist(self):
        return self.inner.tolist()

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return _call(function, args, kwargs or {})


class _Mode(TorchDispatchMode):
    """Operations that make a tensor there, or copy one to there."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if any(_there(leaf) for leaf in tree_leaves((args, kwargs))):
            return _call(function, args, kwargs)
        return function(*args, **kwargs)


def _there(value) -> bool:
    device = value if isinstance(value, torch.device) else None
    return isinstance(value, SimulatedTensor) or (device is not None and device.type == NAME)


def _call(function, args, kwargs):
    """Compute an operation on the CPU; its result is on the device if its tensors are, or if it
    asks for that."""
    name, leaves = str(function), tree_leaves((args, kwargs))
    args, kwargs, asked = _on_the_cpu(function, args, kwargs)
    there = _there(asked) if asked is not None else any(map(_there, leaves))
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    if asked is None and name not in COPIES:
        _refuse_a_mix(name, args, tensors)
    if there and any(isinstance(leaf, torch.Generator) for leaf in leaves):
        raise RuntimeError(f"{name}: expected a {NAME} device type for generator but found cpu")
    plain = tree_map(lambda leaf: leaf.inner if isinstance(leaf, SimulatedTensor) else leaf, args)
    given = tree_map(lambda leaf: leaf.inner if isinstance(leaf, SimulatedTensor) else leaf, kwargs)
    result = function(*plain, **given)
    if name == "aten._local_scalar_dense.default":  # .item()
        return result
    if name == "aten.copy_.default":
        return args[0]
    wrapped = {id(leaf.inner): leaf for leaf in tensors if isinstance(leaf, SimulatedTensor)}

    def back(value):
        if not isinstance(value, torch.Tensor) or isinstance(value, SimulatedTensor):
            return value
        if asked is not None and any(value is leaf for leaf in (*tensors, *_inner(tensors))):
            value = value.clone()  # a real device has memory of its own
        if not there:
            return value
        known = wrapped.get(id(value))  # in place: the tensor itself
        return SimulatedTensor(value) if known is None else known

    return tree_map(back, result)


def _inner(tensors) -> list[torch.Tensor]:
    return [leaf.inner for leaf in tensors if isinstance(leaf, SimulatedTensor)]


def _on_the_cpu(function, args, kwargs) -> tuple:
    """The arguments with the CPU in the place of a device, and the device that stood there."""
    names = [argument.name for argument in function._schema.arguments]
    asked, cpu = kwargs.get("device"), torch.device("cpu")
    kwargs = {key: value for key, value in kwargs.items() if key != "pin_memory"}
    if asked is not None:
        kwargs["device"] = cpu
    place = names.index("device") if "device" in names else len(args)
    if place < len(args):
        asked, args = args[place], (*args[:place], cpu, *args[place + 1 :])
    return args, kwargs, asked


def _refuse_a_mix(name: str, args: tuple, tensors: list[torch.Tensor]) -> None:
    """A RuntimeError where tensors of both devices meet. Single numbers may come from the CPU, and
    so may what indexes a tensor of the device."""
    indexed = name in INDEXING and _there(args[0])
    values = args[2] if indexed and len(args) > 2 else None
    for leaf in tensors:
        index = indexed and leaf is not values
        if not (_there(leaf) or index or leaf.dim() == 0) and any(map(_there, tensors)):
            found = f"found {NAME} and cpu {tuple(leaf.shape)}"
            raise RuntimeError(f"{name}: expected all tensors to be on the same device, {found}")


@contextmanager
def simulated_gpu() -> Iterator[set[str]]:
    """Within, torch.accelerator finds the device. What comes back fills with the device types of
    all weights that an optimizer changes."""
    trained: set[str] = set()

    def note(optimizer, args, kwargs):
        trained.update(w.device.type for g in optimizer.param_groups for w in g["params"])

    hook, future = register_optimizer_step_pre_hook(note), torch.__future__
    swap = future.get_swap_module_params_on_conversion()
    future.set_swap_module_params_on_conversion(True)  # network.to(device) keeps its parameters
    MODULE.entered, MODULE.stored = True, False
    try:
        with _Mode(), patch.dict(os.environ):
            os.environ.pop(HIDE, None)
            yield trained
    finally:
        MODULE.entered = False
        future.set_swap_module_params_on_conversion(swap)
        hook.remove()
