"""Where numbers come from: processor, versions and commit, and the memory in use."""

import pytest

from discom.errors import ConfigError
from discom.hardware import device_type, multiplies_bf16


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("cpu", [True, False])
def test_device_and_bf16_are_those_of_what_trains(monkeypatch, gpu, cpu):
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: cpu)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: gpu)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (multiplies_bf16(), multiplies_bf16("cuda"), multiplies_bf16("cpu")) == (gpu, gpu, cpu)
    assert (device_type(), device_type("cpu")) == ("cuda", "cpu")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert multiplies_bf16() == cpu
    assert device_type() == "cpu"
    with pytest.raises(ConfigError, match="no CUDA device"):
        device_type("cuda")
