# %% [markdown]
# # Solutions to notebook 11
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from discom import data as sets
from discom.data.arrays import resize
from discom.deployment import Contract, Sensor
from discom.notebook import check, finish, stamp, terminal

stamp(0)


# %% [markdown]
# **1.** ⟨(3, 4), (5, 0)⟩ = 15, and both vectors have length 5: $r = 15/25 = 0.6$. That is below 0.85, so the pictures do not count as near copies.


# %%
def edges(grey):
    small = resize(grey.astype(np.float32), (16, 16), smooth=True)
    steps = np.diff(small, axis=1), np.diff(small, axis=2)
    return np.hstack([step.reshape(len(small), -1) for step in steps])


def likeness(a, b):
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-3) for x in (a, b))
    return a @ b.T


answer_1 = 15 / 25
by_code = likeness(np.array([[3, 4]]), np.array([[5, 0]])).item()
check("hand and code agree", np.isclose(answer_1, by_code))
check("exercise 1", np.isclose(answer_1, 0.6))

# %% [markdown]
# **2.** The share of measured pixels outside the bounds, image by image. An image of which nothing was measured is guarded as well.


# %%
def guard(images, contract):
    (sensor,) = contract.sensors
    low, high = (np.reshape(bound, (-1, 1, 1)) for bound in (sensor.low, sensor.high))
    seen = images != 0 if sensor.invalid is None else images != sensor.invalid
    inside = seen & (images >= low) & (images <= high)
    return 2 * inside.sum((1, 2, 3)) <= seen.sum((1, 2, 3))


scenes = sets.scenes.make(n=300, seed=100)
x = np.round(4000 * scenes.modalities["depth"].x)  # in mm, as in the notebook's files
low, high = np.percentile(x[x > 0], (2, 98))
classes, run = ("metal", "stone", "wood"), "my/student/0"
depth = Sensor("depth", (1, 32, 32), "mm", 0.0, (low,), (high,))
contract = Contract(run, "depth", classes, (depth,))
check("an empty image is guarded", guard(np.zeros((1, 1, 32, 32)), contract).all())
strange, usual = (guard(images, contract) for images in (x / 1000, x))
check("exercise 2", strange.all() and not usual.any())

# %% [markdown]
# **3.** The answer is yours. This is what the check of a small faulty folder says.

# %%
scenes = sets.scenes.make(n=90)
x = scenes.modalities["depth"].x
x[0] /= 1000  # metres among millimetres
with TemporaryDirectory() as place:
    for image, material, name in zip(x, scenes.factors["material"], scenes.ids, strict=True):
        file = Path(place, "my/depth", str(material), f"{name}.npy")
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, image)
    terminal("discom data prepare folders --root my --size 32 --out sized", place)
    status, said = terminal("discom data check sized", place)
check("there are warnings, no error", status == 0 and "warning" in said)
finish()
