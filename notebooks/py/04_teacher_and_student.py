# %% [markdown]
# # 04 · What can a teacher say that the label does not?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/04_teacher_and_student.ipynb) · [solutions](solutions/py/04_teacher_and_student.py)
#
# You will deploy the depth camera. In [03](03_training.ipynb) the depth branch of DisCoM-KD never heard which images show one scene. Now it hears it from a **teacher**: a network that reads both images of a scene. Trained first, then frozen, it says for each training scene how likely each class is. A depth *student* learns from that, beside the label. This is *knowledge distillation* (KD).
#
# ![A teacher reads RGB and depth of a scene and gives a soft label. A student reads depth alone; half of its loss compares it with the soft label, half with the label. Where a pair has no label, the soft label is all.](../docs/_static/teacher.svg)
#
# The best possible network for depth gets 80 % of new scenes right; ours gets a little over 70, its teacher nearly 90. **Write down two guesses:** what does a student gain beside this teacher, if every scene has its label? And if only one in five has, for teacher and student alike?
#
# | At a glance | |
# |---|---|
# | You will | **write** the loss of distillation, and see why it has a T² · **train** teachers and students · **find** which part of a teacher helps |
# | You need | cross-entropy; the scenes of [00](00_start_here.ipynb) |
# | Time, memory | three minutes on one free CPU core, 2 GB |
# | Data, licence | scenes drawn here, MIT |

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import os

ref, url = "v0.1.0", "https://github.com/discom-kd/discom"  # ref: a tag or a branch
try:
    import discom.config
except ImportError:  # on Colab, whose torch stays
    # !git clone -q --depth 1 -b {ref} {url} 2> /dev/null || echo "no {ref} yet: main"
    # !test -d discom || git clone -q --depth 1 {url}
    # !pip list --format=freeze | grep -E "^(torch|torchvision|numpy)=" > kept.txt
    # %pip install -q -c kept.txt "./discom[deploy]"
    import discom.config
if os.path.isdir("discom/notebooks"):  # after the lines above, or a restart
    os.chdir("discom/notebooks")

# %% tags=["parameters"]
data = "objects"  # drawn with the seed
seed = 0  # of scenes, weights and batches
steps = 480  # of each training, 125 scenes a step
profile = "cpu"  # tiny: a few steps, results mean nothing
record = ""  # a file that keeps the scores with few labels
runs = "runs"  # no effect here

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_04 as exercises
from discom.data.augmentation import any_motions, turn
from discom.losses import distill
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp
from pictures import teaching, training

torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data)
steps = 10 if profile == "tiny" else steps
scenes, test = course.scenes(data, seed)

# %% [markdown]
# ## One network for any sensors
#
# An encoder for each sensor, and one linear layer. With depth alone it is a student, with both sensors a teacher. A step shows 125 scenes, turned and mirrored at random.


# %%
class Network(nn.Module):
    def __init__(self, sensors):
        super().__init__()
        bands = {s: len(scenes.images[s][0]) for s in sensors}
        encoders = {s: resnet10(n, width=8)[0] for s, n in bands.items()}
        self.encoders = nn.ModuleDict(encoders)  # [B, bands, 32, 32] → [B, 64]
        self.classify = nn.Linear(64 * len(sensors), 9)

    def forward(self, images):
        features = [encode(images[s]) for s, encode in self.encoders.items()]
        return self.classify(torch.cat(features, dim=1))  # logits [B, 9]


@torch.no_grad()
def answer(network, part):
    return network.eval()(part.images)


def right(logits, part):  # 1 or 0 for each scene
    return (logits.argmax(1) == part.labels).float()


# %%
def train(name, sensors, loss, shown=2000):  # loss(logits, rows)
    torch.manual_seed(seed)
    network, rows = Network(sensors), torch.tensor([], dtype=torch.long)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1.0)
    schedule = OneCycleLR(optimizer, 0.01, steps + 1)
    for _ in range(steps):
        if len(rows) < 125:  # show all again, in a new order
            rows = torch.cat([rows, torch.randperm(shown)])
        batch, rows = rows[:125], rows[125:]
        images = {s: scenes.images[s][batch] for s in sensors}
        images = {s: turn(x, any_motions(x)) for s, x in images.items()}
        optimizer.zero_grad()
        loss(network.train()(images), batch).backward()
        optimizer.step()
        schedule.step()
    scores[name] = 100 * right(answer(network, test), test).mean().item()
    print(f"{name}: {scores[name]:.1f} % of new scenes right")
    return network


# %% [markdown]
# ## The loss of distillation
#
# A label names one class. A teacher gives nine probabilities, a *soft label*. A **temperature** T makes them softer. The loss is the divergence (KL) of the student's softened probabilities $p^s$ from the teacher's $p^t$:
#
# $$ L_{KD} = \frac{T^2}{B} \sum_i \sum_c p^t_{ic} \log \frac{p^t_{ic}}{p^s_{ic}}, \qquad p_{ic} = \mathrm{softmax}_c(z_{ic} / T) $$
#
# Why T²? **Guess:** without it, how many times smaller is the gradient at T = 8 than at T = 4?


# %%
def kd(student, teacher, T=4.0):
    p_t, p_s = (teacher / T).softmax(1), (student / T).softmax(1)
    return T**2 * (p_t * (p_t / p_s).log()).sum(1).mean()


def gradient(T):
    logits = torch.zeros(1, 3, requires_grad=True)
    kd(logits, torch.tensor([[2.0, 1.0, 0.0]]), T).backward()
    return logits.grad.norm().item()


print(f"with T²: {gradient(4.0):.3f} at T = 4, {gradient(8.0):.3f} at T = 8")
print(f"without: {gradient(4.0) / 16:.4f} and {gradient(8.0) / 64:.4f}")

# %% [markdown]
# Four times: once by the chain rule, once because softer probabilities differ less. T² undoes both.
#
# A later idea, LSKD, needs two lines: compare the **shape** of the logits, not their size. To be surer by some factor then costs nothing.


# %%
def standardize(z):
    return (z - z.mean(1, keepdim=True)) / z.std(1, keepdim=True)


one, other = torch.randn(2, 5, 9)
check("three times as sure: no cost", kd(standardize(3 * one), standardize(one)) < 1e-5)
check("the package's kd", torch.isclose(kd(one, other), distill.kd(one, other, 4.0)))

# %% [markdown]
# ## A teacher beside every label
#
# Half of the student's loss is the label's, half the teacher's. **Take out your first guess.**


# %%
def label_loss(logits, rows):
    return F.cross_entropy(logits, scenes.labels[rows])


def taught_loss(logits, rows):
    return 0.5 * label_loss(logits, rows) + 0.5 * kd(logits, soft[rows])


both, scores = ["rgb", "depth"], {}
teacher = train("teacher", both, label_loss)
student = train("student", ["depth"], label_loss)
soft = answer(teacher, scenes)  # logits for every training scene
taught = train("beside the teacher", ["depth"], taught_loss)

# %% [markdown]
# Less than a point; another seed moves more. Stored runs repeat it with [ten seeds and wider networks](../docs/results/all_labels.md).

# %% alt="Three rows of ten dots. The student and the student beside the teacher lie on top of each other at about 75.5. The teacher, which reads both sensors, lies at 92.6, beyond the line that is best possible with depth."
names = {"student": "student", "kdv2": "beside the teacher", "teacher": "teacher"}
stored = course.seeds("../results/all-labels.csv", names, "depth")
title = "A teacher 17 points ahead, and nothing gained beside it"
figure = training.plot_seeds(stored, title, best=test.best["depth"])
gain = stored["beside the teacher"] - stored["student"]
half = 2.262 * gain.std() / len(gain) ** 0.5  # Student's t, nine degrees of freedom
print(f"beside the teacher − student: {gain.mean():+.1f} ± {half:.1f} points of F1")

# %% [markdown]
# Ten seeds leave room for half a point. **Why so little, from a teacher so far ahead?** Where does its lead lie: in *ordinary* scenes, in the *dark*, where colour shows no material, or *far away*, where depth shows none? **Guess.**

# %%
kinds = course.kinds(test) | {"all but far": ~test.factors["far"].bool()}
said = {"teacher": answer(teacher, test), "student": answer(student, test)}
said["beside the teacher"] = answer(taught, test)
table = {
    kind: {name: 100 * right(z, test)[rows].mean().item() for name, z in said.items()}
    for kind, rows in kinds.items()
}
print(f"training: the teacher names the label in {right(soft, scenes).mean():.0%}")
pd.DataFrame(table).round().astype(int)

# %% [markdown]
# Far away. Without these scenes two points are left, and in the dark it is even behind. One scene of each kind, the first of its class:

# %% alt="An ordinary, a dark and a far square of metal, each with colour and depth image and bars of probability for nine classes. Teacher and student agree on square and metal in the first two. Far away the teacher gives metal 98 percent, the student gives wood, metal and stone about a third each."
rows = {kind: next(iter(course.of_each(test, kind, 4))) for kind in course.kinds(test)}
words = {name: said[name].softmax(1) for name in ("teacher", "student")}
title = "Far away, depth shows the shape and leaves the material open"
figure = teaching.show_words(test, rows, words, title)

# %% [markdown]
# In the far scene the teacher reads "metal" from the checks. The student says "a square", and about a third for each material. More training would not help: far away, wood, metal and stone look alike in depth, so **one** answer must serve all three. No teacher changes that.
#
# In the other scenes the teacher mostly repeats the label: in training it names it in 94 %. **What it could tell is said already; what it knows more, depth cannot use.**
#
# ## Where most labels are missing
#
# So take labels away. 400 scenes keep theirs, for student and teacher alike; all 2 000 keep both images. A teacher learns from the 400, then speaks about all. Its *pupil* hears the teacher alone. **Take out your second guess.**


# %%
few = 400  # labels, of the first scenes


def pupil_loss(logits, rows):  # what a teacher says, no label
    return kd(logits, soft[rows])


few_labels = train("student, 400 labels", ["depth"], label_loss, few)
novice = train("teacher, 400 labels", both, label_loss, few)
soft = answer(novice, scenes)
_ = train("its pupil", ["depth"], pupil_loss)

# %% [markdown]
# Again nothing. But in another run (seed 2 in the table below) the teacher is nine points ahead, and its pupil gains four. Is it the second sensor?
#
# ## Which part of the teacher?
#
# Take away one thing after another, with a guess for each:
#
# 1. the second **sensor**: a teacher of depth alone. It is there already, the student of 400 labels.
# 2. the other **images**: the same, but the pupil sees the 400 only.
# 3. the **teacher**: a rule that softens each label, 0.7 for the class and 0.3 for all nine alike.


# %%
def softer_label(logits, rows):
    return F.cross_entropy(logits, scenes.labels[rows], label_smoothing=0.3)


soft = answer(few_labels, scenes)
train("pupil of the student", ["depth"], pupil_loss)
train("the same, 400 images", ["depth"], pupil_loss, few)
_ = train("no teacher, softer labels", ["depth"], softer_label, few)

# %% [markdown]
# Six points **without a second sensor**, five of them without another image: from the answers of a student that learned from the same 400 labels. The rule helps here, and *costs* three to four points in the two other runs.
#
# Why can doubt help? Our explanation: a student trained to certainty learns its few labels by heart. A far scene's label is the worst of them: it names a material that depth does not show. A rule doubts every label alike. A teacher can doubt where there is reason to.
#
# Does it? **Guess** how much probability each teacher gives the label of its own 400 scenes, far away and elsewhere.

# %%
far = scenes.factors["far"].bool()
for name, expert in {"depth": few_labels, "both sensors": novice}.items():
    p = answer(expert, scenes).softmax(1).gather(1, scenes.labels[:, None])[:few, 0]
    sure = [p[rows[:few]].mean() for rows in (~far, far)]
    print(f"teacher of {name}: {sure[0]:.0%}, far away {sure[1]:.0%}")

# %%
live = pd.DataFrame([{"seed": seed, **scores}])
course.keep(live, record)
others = pd.read_csv(record or "../results/teachers.csv").query("seed != @seed")
print(pd.concat([live, others]).set_index("seed").T.round(1))
course.results("04")

# %% [markdown]
# The teacher of depth doubts most in far scenes. The teacher of both sees the material, and is sure. This fits, but a first test, with doubt in far scenes alone, was not clear. In three runs a teacher of depth gained 3 to 6 points for its pupil, a teacher of both −1 to 4.
#
# ## What you found
#
# **A label says what is there; a teacher can also say how sure one can be. With few labels that helped a student of depth, and needed no second sensor: a teacher of depth alone did about as well or better. With every label a teacher of both, 17 points ahead, taught it nothing: most of its lead lies where depth shows no answer.**
#
# For your own two sensors:
#
# - *Compare* teacher and student where the deployed sensor shows the answer. Only that lead can be taught.
# - *Let* a student teach a new one, before you train a teacher of both sensors.
# - *Ask* how sure a teacher is where the student cannot know.
#
# In [00](00_start_here.ipynb) pairs did help depth, through a contrast. DisCoM-KD has five other losses. **Does any of them do something?** [05](05_ablations.ipynb) adds them one by one.
#
# ## Exercises
#
# 1. **Warm-up.** Write `pull(student, teacher, T)`: the gradient of `kd` with respect to the student's logits, by hand. What is left of T²?
# 2. **Change one thing.** Write `named_loss(logits, rows)`: the teacher names one class in the place of nine probabilities. Let `few_labels` teach all scenes with it. What is left of the gain?
# 3. **Open.** How many labels make a teacher of both sensors worth hearing? Train some, and a pupil of each on all scenes. Enter labels → pupil's accuracy in `worth`: one below `goal`, one above.
#
# ## Quiz
#
# 1. A teacher is 16 points above the student. What can be taught? (a) 16 points. (b) The lead where depth shows the answer. (c) Nothing.
# 2. T goes from 4 to 8, without T². Then (a) nothing changes, (b) the soft label counts about a quarter beside the label, (c) the teacher becomes surer.
# 3. With few labels a pupil of a teacher of both sensors beats a student. What helped? (a) The second sensor. (b) The sensor, the images or the soft labels. (c) The images.
#
# <details><summary>Answers</summary>
#
# 1. **b**. Not *a*: far away one answer must serve three materials. Not *c*: in ordinary scenes the student errs, too.
# 2. **b**: its gradient shrinks by four. Not *a*: the balance moves. Not *c*: it becomes softer.
# 3. **b**: controls tell which. Not *a*, not *c*: each is one of three.
#
# </details>
#
# **References.** Hinton et al., [Distilling the knowledge in a neural network](https://arxiv.org/abs/1503.02531), 2015. Sun et al., [Logit standardization](https://arxiv.org/abs/2403.01427), CVPR 2024. Furlanello et al., [Born-again networks](https://arxiv.org/abs/1805.04770), ICML 2018: a student taught by its equal.


# %%
def pull(student, teacher, T): ...


def named_loss(logits, rows): ...


worth, goal = {}, scores["student, 400 labels"] + 5  # the teacher's labels → pupil
exercises.check(pull, named_loss, worth, goal, soft, scenes.labels)
finish()
