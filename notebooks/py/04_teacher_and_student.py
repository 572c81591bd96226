# %% [markdown]
# # 04 · When has a teacher something to say that the label does not?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/04_teacher_and_student.ipynb) · [solutions](solutions/py/04_teacher_and_student.py)
#
# You will deploy a depth camera. It gets a little over 70 % of new scenes right, and no network that reads depth alone can get more than 80 %. In the lab a colour camera hangs beside it, and a network that reads **both** images gets almost 90 %. May this expert teach your depth network?
#
# Its lesson is more than the answer. A label says *metal*. The expert says *metal; perhaps stone; surely not wood*, anew for each scene. Learning from such answers is called *knowledge distillation* (KD): the expert is the **teacher**, the network that you deploy is the **student**.
#
# ![A teacher reads colour and depth of a scene and gives a soft label. A student reads depth alone; half of its loss compares it with the soft label, half with the label.](../docs/_static/teacher.svg)
#
# **Write down two guesses.** How many points does the student gain from this teacher if all 2 000 training scenes have their label? And how many if only 200 have one, for teacher and student alike?
#
# | At a glance | |
# |---|---|
# | You will | **compute** by hand what a soft label adds to a label · **write** three losses of distillation and train with two of them · **find** when a teacher helps, and whether it needs the second sensor |
# | You need | cross-entropy; the scenes of [00](00_start_here.ipynb) |
# | Time, memory | seven minutes on one CPU core, 2 GB |
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
clone = os.path.dirname(os.path.dirname(discom.config.__file__))
for place in ("discom/notebooks", f"{clone}/notebooks"):  # from Colab, or any folder
    if not os.path.isfile("course.py") and os.path.isdir(place):
        os.chdir(place)

# %% tags=["parameters"]
data = "objects"  # drawn with the seed
seed = 0  # of scenes, weights and batches
steps = 480  # of each training, 125 scenes a step
profile = "cpu"  # tiny: a few steps, results mean nothing
record = ""  # a file that keeps the scores

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"source_hidden": true} tags=["hide-input"]
from itertools import islice

import pandas as pd
import torch
import torch.nn.functional as F
from scipy import stats
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_04 as exercises
from discom.data.augmentation import random_d4, apply_d4
from discom.losses import distill
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp
from pictures import teaching

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data, device=device)
steps = 10 if profile == "tiny" else steps
scenes, test = course.scenes(data, seed, device=device)

# %% [markdown]
# ## What a soft label holds
#
# Take two scenes. Both show a square of metal, so both have the same label. But the first metal looks a little like stone, the second a little like wood. A teacher that sees this may give *metal*, *stone* and *wood* the odds 4 : 2 : 1 in the first scene and 4 : 1 : 2 in the second.
#
# A network gives *logits* z, and softmax makes probabilities of them. A **temperature** T divides the logits first: softmax(z / T). We choose logits whose odds are those above at T = 4. At T = 1 each number of the odds is raised to the fourth power: 256 : 16 : 1.

# %%
torch.set_printoptions(precision=2, sci_mode=False)
odds = torch.tensor([[4.0, 2.0, 1.0], [4.0, 1.0, 2.0]])  # [2 scenes, 3 materials]
teacher_logits = 4 * odds.log()
at_1 = teacher_logits.softmax(1)
at_4 = (teacher_logits / 4).softmax(1)
print(f"T = 1, 256/273, 16/273, 1/273:\n{at_1}")
print(f"T = 4, 4/7, 2/7, 1/7:\n{at_4}")

# %% alt="Three panels of bars for metal, stone and wood, in two scenes. As a label, both are 100 percent metal. At T = 1 both are 94 percent metal. At T = 4 metal has 57 percent, and stone and wood have 29 and 14 percent in the first scene, the other way round in the second."
title = "A temperature shows what the label hides: which wrong class is nearly right"
figure = teaching.show_softness({"T = 1": at_1, "T = 4": at_4}, title)

# %% [markdown]
# Hinton called this *dark knowledge*: what a network holds about the wrong classes. The label has none of it, and at T = 1 it can hardly be seen.
#
# To learn from it, the student's softened probabilities $p^s$ shall come near the teacher's, $p^t$. The distance is the Kullback-Leibler divergence, $\sum_c p^t_c \log(p^t_c / p^s_c)$. A student that knows nothing gives each of the three materials a third. By hand, for the first scene:

# %%
p_teacher = torch.tensor([4, 2, 1]) / 7
p_student = torch.tensor([1, 1, 1]) / 3
terms = p_teacher * (p_teacher / p_student).log()
print("4/7 · log 12/7, 2/7 · log 6/7, 1/7 · log 3/7:", terms)
print(f"the sum: {terms.sum():.3f}; times T² = 16: {16 * terms.sum():.3f}")


# %% [markdown]
# As a function, it is a mean over the rows of a batch, and works with logarithms, so that no probability of 0 does harm:
#
# $$ L_{KD} = \frac{T^2}{B} \sum_{i=1}^{B} \sum_c p^t_{ic} \log \frac{p^t_{ic}}{p^s_{ic}}, \qquad p_{ic} = \mathrm{softmax}_c(z_{ic} / T) $$


# %%
def divergence(log_teacher, log_student):  # log-probabilities [B, C] → a mean
    return (log_teacher.exp() * (log_teacher - log_student)).sum(1).mean()


def kd(student, teacher, T=4.0):  # logits [B, C]
    log_teacher = (teacher / T).log_softmax(1)
    log_student = (student / T).log_softmax(1)
    return T**2 * divergence(log_teacher, log_student)


nothing = torch.zeros(2, 3)  # the logits of a student that knows nothing
print(f"kd of both scenes: {kd(nothing, teacher_logits):.3f}")
check("as by hand", torch.isclose(kd(nothing, teacher_logits), 16 * terms.sum()))

# %% [markdown]
# **What does the student learn from it?** That is in the gradient: how the loss pushes each logit. Compare it with the label's cross-entropy. (Minus raises a logit, plus lowers it.)


# %%
def push(loss):  # what a step takes off each logit of each scene
    logits = nothing.clone().requires_grad_()
    (2 * loss(logits)).backward()  # twice, as the loss is a mean of two rows
    return logits.grad


metal = torch.tensor([0, 0])  # the label of both
print("the label's:", push(lambda z: F.cross_entropy(z, metal)), sep="\n")
print("the teacher's:", push(lambda z: kd(z, teacher_logits)), sep="\n")

# %% [markdown]
# The label lowers stone and wood alike, in both scenes. The teacher lowers wood four times as much as stone in the first scene, and the other way round in the second. So this is what a teacher can say that the label does not.
#
# And T²? When T doubles, softer probabilities differ by about half as much, and the chain rule divides by T once more. So without T² the push would be a quarter as strong beside the label. With it the size stays:

# %%
at_8 = push(lambda z: kd(z, teacher_logits, T=8.0))
print(f"T = 8, with T²:\n{at_8}\nwithout:\n{at_8 / 64}")

# %% [markdown]
# ## Three losses of distillation
#
# **KDv2** is Eq. 1 of the DisCoM-KD paper, α · cross-entropy + (1 − α) · $L_{KD}$, with α = ½ and T = 4. A loss below gets the logits of a batch, its labels, and the teacher's logits for the same scenes.


# %%
def label_loss(logits, labels, teacher):
    return F.cross_entropy(logits, labels)


def kdv2(logits, labels, teacher):
    return 0.5 * F.cross_entropy(logits, labels) + 0.5 * kd(logits, teacher)


# %% [markdown]
# **LSKD** (2024) wants the student to copy the order and the spacing of the teacher's logits, but not their size, which a smaller network may not reach. So it *standardizes* each row of logits first. Its authors take T = 2, and weights of 9 for the teacher and .1 for the label.


# %%
def standardize(z):  # each row gets mean 0 and standard deviation 1
    centred = z - z.mean(1, keepdim=True)
    return centred / (z.std(1, keepdim=True) + 1e-7)


def kdv2_lskd(logits, labels, teacher):
    copied = kd(standardize(logits), standardize(teacher), T=2.0)
    return 0.1 * F.cross_entropy(logits, labels) + 9 * copied


quiet, loud = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[20.0, 10.0, 0.0]])
print(standardize(quiet), standardize(loud))

# %% [markdown]
# **DKD** (2022) takes the divergence apart. One part asks: the label's class or not? The other: *which* of the other classes? By the chain rule of probabilities, the two add up to $L_{KD}$ if the second one is weighted by $1 - p^t_y$, the teacher's doubt. So a sure teacher hides its dark knowledge. DKD gives it a weight of 8 instead.


# %%
def two_questions(logits, labels):
    own = F.one_hot(labels, logits.shape[1]).bool()  # [B, C], the label's class
    others = logits[~own].view(len(logits), -1)  # [B, C − 1]
    sums = torch.stack([logits[own], others.logsumexp(1)], dim=1)  # [B, 2]
    return sums.log_softmax(1), others.log_softmax(1)


def dkd(student, teacher, labels, T=4.0):
    yes_or_no_s, which_s = two_questions(student / T, labels)
    yes_or_no_t, which_t = two_questions(teacher / T, labels)
    yes_or_no = divergence(yes_or_no_t, yes_or_no_s)
    which = divergence(which_t, which_s)
    return T**2 * yes_or_no, T**2 * which


yes_or_no, which = dkd(nothing, teacher_logits, metal)
doubt = 3 / 7  # at T = 4, in both scenes
print(f"{yes_or_no:.3f} + 3/7 · {which:.3f} = {yes_or_no + doubt * which:.3f}")

# %% [markdown]
# Again 2.29, as by hand. Are these the losses of the package, too?

# %%
torch.manual_seed(seed)
student_z, teacher_z = 5 * torch.randn(2, 100, 9)
labels = torch.randint(9, (100,))
own = kd(student_z, teacher_z)
check("kd", torch.isclose(own, distill.kd(student_z, teacher_z)))
own = standardize(teacher_z)
check("standardize", torch.allclose(own, distill.standardize(teacher_z)))
own = torch.stack(dkd(student_z, teacher_z, labels))
theirs = torch.stack(distill.dkd_terms(student_z, teacher_z, labels))
check("dkd", torch.allclose(own, theirs, rtol=1e-4))

# %% [markdown]
# ## One network for any sensors
#
# An encoder for each sensor, and one linear layer. With depth alone it is a student, with both sensors a teacher.


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


# %% [markdown]
# A step shows 125 scenes, turned and mirrored at random. All scenes are shown before one comes again.


# %%
def batches(count):  # rows of the first `count` scenes, without end
    rows = torch.tensor([], dtype=torch.long)
    while True:
        if len(rows) < 125:
            rows = torch.cat([rows, torch.randperm(count)])
        yield rows[:125]
        rows = rows[125:]


def turn(sensors, rows):  # images of these scenes
    images = {}
    for sensor in sensors:
        own = scenes.images[sensor][rows]
        images[sensor] = apply_d4(own, random_d4(own))
    return images


# %%
scores, both = {}, ["rgb", "depth"]


def train(name, sensors, loss, teacher=None, shown=2000, view=turn):
    torch.manual_seed(seed)
    network = Network(sensors).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1.0)
    schedule = OneCycleLR(optimizer, 0.01, steps + 1)
    shown = min(shown, len(scenes.labels))
    for rows in islice(batches(shown), steps):
        logits = network.train()(view(sensors, rows))
        soft = None if teacher is None else teacher[rows]
        optimizer.zero_grad()
        loss(logits, scenes.labels[rows], soft).backward()
        optimizer.step()
        schedule.step()
    scores[name] = 100 * right(answer(network, test), test).mean().item()
    print(f"{name}: {scores[name]:.1f} % of new scenes right")
    return network


# %% [markdown]
# ## A teacher beside every label
#
# First the teacher learns from the labels and is frozen. Then it answers each training scene, once. **Recall your first guess.**

# %%
teacher = train("teacher", both, label_loss)
answers = answer(teacher, scenes)  # logits for every training scene
student = train("student", ["depth"], label_loss)
taught = train("KDv2", ["depth"], kdv2, answers)
copying = train("KDv2 + LSKD", ["depth"], kdv2_lskd, answers)

# %% [markdown]
# In this run KDv2 gained half a point, and KDv2 + LSKD lost a point and a half. One run can mislead. Here are the stored runs, of networks twice as wide, each compared with the student of the same seed. (± is half of a 95 % interval; F1 is nearly the share that is right.)

# %%
names = {"student": "student", "kdv2": "KDv2", "teacher": "teacher"}
stored = course.seeds("../results/all-labels.csv", names, "depth")
names = {"dkd": "DKD", "kdv2+lskd": "KDv2 + LSKD"}
stored = stored.join(course.seeds("../results/all-labels-kd.csv", names, "depth"))


def gains(scores, names, control):  # of each seed that both have
    return {name: (scores[name] - scores[control]).dropna() for name in names}


# %% alt="Four rows of dots, points above the student. The teacher lies at 17. KDv2, with ten seeds, lies at 0; DKD and KDv2 with LSKD, with three seeds, lie two points below 0."
ways = gains(stored, ["teacher", "KDv2", "DKD", "KDv2 + LSKD"], "student")
title = "Every label: a teacher 17 points ahead, and nobody gains from it"
figure = teaching.plot_gains(ways, title, over="the student, F1 of depth")

# %% [markdown]
# That answers the first guess: **with every label the student gains nothing.** Over ten seeds KDv2 neither gains nor loses as much as a point. DKD and LSKD, which lean on the teacher more, lose two points (three seeds each). The other distillations do [no better](../docs/results/all_labels.md#other-distillations).
#
# ## Why does a lead of 17 points not come across?
#
# **Guess** where the teacher leads: in *ordinary* scenes, in the *dark*, where colour shows no material, or *far away*, where depth shows none.


# %%
def by_kind(networks):  # scenes of each kind that are right, %
    table = {}
    for name, network in networks.items():
        values = 100 * right(answer(network, test), test)
        kinds = course.kinds(test).items()
        table[name] = {kind: values[rows].mean().item() for kind, rows in kinds}
        for kind, score in table[name].items():
            scores[f"{name}, {kind}"] = score
    return pd.DataFrame(table).T.round().astype(int)


networks = {"teacher": teacher, "student": student}
networks |= {"KDv2": taught, "KDv2 + LSKD": copying}
by_kind(networks)

# %% [markdown]
# Far away, by over 60 points; in ordinary scenes by four. In the dark it is *behind*, by four. That is no accident of this run: in the dark each of the ten stored teachers is behind its student, by five points on average ([by kind](../results/all-labels-kinds.csv)). We take these one by one.
#
# **Far away, the lead cannot be taught.** Here is one scene of each kind, the first square of metal:

# %% alt="An ordinary, a dark and a far square of metal, each with colour and depth image and bars of probability for wood, metal, stone and another shape. Far away the teacher gives metal over 90 percent; the student gives wood, metal and stone 25 to 40 percent each."
rows = {kind: next(iter(course.of_each(test, kind, 4))) for kind in course.kinds(test)}
two = {"teacher": teacher, "student": student}
words = {name: answer(network, test).softmax(1) for name, network in two.items()}
title = "Far away the teacher reads the material in colour; depth does not show it"
figure = teaching.show_words(test, rows, words, title)

# %% [markdown]
# In the far scene depth shows a square, and nothing of its material. Wood, metal and stone look alike, so the student has **one** answer for all three, whoever teaches. It gives each about a third, which is the best answer there is.
#
# **In ordinary scenes the label says nearly all of it already.** What does the teacher say about the scenes from which the student learns?

# %%
p_label = answers.softmax(1).gather(1, scenes.labels[:, None])[:, 0]
for kind, rows in course.kinds(scenes).items():
    share = 100 * p_label[rows].mean()
    print(f"{kind}: the teacher gives the label {share:.0f} %")

# %% [markdown]
# In ordinary and far scenes it repeats the label, for it has learned these very labels. Only in the dark it says something else. And there it is worse than the student: of new dark scenes it gets 84 % right, the student 87 %.
#
# **So where the teacher differs from the label, it is least worth copying.** Together the three answers leave nothing to gain: what it knows far away cannot be taught, of what it knows in ordinary scenes the label has said nearly all, and in the dark it knows less than its student. (In ordinary scenes it is four points ahead, which depth could learn. That KDv2 does not learn them is not explained here.)
#
# KDv2 + LSKD weighs the teacher ninety times as much as the label. Its student falls from 87 to 84 % in the dark. But it falls in ordinary scenes, too, where its teacher is right. Are the errors in the dark the cause? For that we need a teacher that makes fewer of them.
#
# ## A teacher that is worse than one of its own sensors
#
# The teacher reads the depth image, and still it is behind a network of depth alone in the dark. How can that be? [Wang et al.](https://arxiv.org/abs/1905.12681) (2020) found that networks of several sensors are often worse than the best one of a single sensor, and [Huang et al.](https://arxiv.org/abs/2203.12221) (2022) proved a cause in a small model: *modality competition*. In joint training one sensor explains the labels first. Then little error is left, and the other encoder stops learning.
#
# If that is the cause here, colour must be hindered from explaining everything. So let a new teacher learn with colour covered in half of the scenes, chosen at random. **Guess** what it gains in the dark, and what it loses far away.


# %%
def turn_and_cover(sensors, rows):
    images = turn(sensors, rows)
    seen = (torch.rand(len(rows)) < 0.5).to(device)
    images["rgb"] = images["rgb"] * seen[:, None, None, None]  # black where covered
    return images


covered = train("teacher, covered", both, label_loss, view=turn_and_cover)
by_kind({"teacher": teacher, "teacher, covered": covered})

# %% [markdown]
# In this run it gains two points in the dark. Far away it pays eleven, as it learned from colour only half of the time. Does the student of LSKD learn more from it?

# %%
loss, answers = kdv2_lskd, answer(covered, scenes)
corrected = train("KDv2 + LSKD, covered", ["depth"], loss, answers)
networks = {"student": student, "KDv2 + LSKD": copying}
by_kind(networks | {"KDv2 + LSKD, covered": corrected})

# %% [markdown]
# It does not: it gets two points less right in each kind of scenes. Other seeds show how much of this is chance. Here are the dark scenes alone:

# %% alt="Four rows of three dots, points above the student in the dark. The teacher lies 7 below, the teacher with colour covered 1 below. KDv2 with LSKD lies 3 below, and 4 below with the covered teacher."
table = course.beside("teachers.csv", scores, seed).T  # and other seeds
names = ["teacher", "teacher, covered", "KDv2 + LSKD", "KDv2 + LSKD, covered"]
dark = {name: table[f"{name}, dark"] - table["student, dark"] for name in names}
title = "In the dark both sensors are behind depth; covering colour narrows the gap"
figure = teaching.plot_gains(dark, title, over="the student in the dark, % right")

# %% [markdown]
# In each of the three seeds the teacher is behind the student in the dark. With colour covered it is nearer in each, and on average one point is left. So its depth encoder *can* learn more than it does beside colour, as modality competition says. But three seeds are few: the 95 % interval of the difference between the two teachers reaches from 3 points lost to 15 gained.
#
# The student of LSKD does not follow. It is about as far behind with the better teacher as with the other. So copied errors may not be what costs LSKD most; three seeds do not tell what is.
#
# ## Where most labels are missing
#
# Now 200 of the 2 000 scenes keep their label, for student and teacher alike. All keep both images. So there are 1 800 scenes about which the label says nothing, and the teacher something. **Recall your second guess.** Again these are stored runs of wider networks. The teacher and KDv2 come from two tables, and each is compared with the student of its own table.

# %% alt="Two rows of ten dots, points above the student. The teacher's dots spread from 15 below to 12 above, their mean lies at 1. All dots of KDv2 lie above 0, their mean at 8."
names = {"student": "student", "teacher": "teacher of both"}
teachers = course.seeds("../results/labels.csv", names, "depth", labelled=0.1)
names = {"student": "student", "kdv2": "KDv2"}
students = course.seeds("../results/labels-others.csv", names, "depth", labelled=0.1)
ways = gains(teachers, ["teacher of both"], "student")
ways |= gains(students, ["KDv2"], "student")
title = "200 labels: eight points from a teacher that is hardly ahead itself"
figure = teaching.plot_gains(ways, title, over="the student, F1 of depth")

# %% [markdown]
# That answers the second guess: **with 200 labels the student gains 8.5 points** (ten seeds, every one above 0). And this time it cannot be the teacher's lead. With so few labels the network of both sensors is on average one point ahead of the student, and its interval reaches from five points behind to eight ahead.
#
# What it has to say is new all the same, because the label is silent about 1 800 scenes. But does the answer have to come from colour?
#
# ## Does it need the second sensor?
#
# Three things are new to this student: the second sensor, through its teacher; answers about the **images** without a label; and **soft** answers. To tell them apart, we let depth teach depth: a student is the teacher, and a new student, its *pupil*, learns from its answers alone. Then we take away one thing at a time:
#
# - *400 images*: the pupil sees only the scenes that have a label.
# - *hard answers*: the teacher names one class for each scene.
# - *mean answer*: each of the 400 scenes gets the mean of the teacher's answers for its class. It is soft, but says nothing about this image.
#
# We do this with 400 labels: our small networks hardly learn from 200. **Guess** which pupil gains most.


# %%
def soft_loss(logits, labels, teacher):  # what the teacher says, and no label
    return kd(logits, teacher)


def hard_loss(logits, labels, teacher):  # the class that it names
    return F.cross_entropy(logits, teacher.argmax(1))


few = 400  # labels, of the first scenes
depth_400 = train("student, 400 labels", ["depth"], label_loss, shown=few)
both_400 = train("teacher, 400 labels", both, label_loss, shown=few)
own = answer(depth_400, scenes)
labels = scenes.labels[:few]
class_means = torch.stack([own[:few][labels == c].mean(0) for c in range(9)])

# %%
train("its pupil", ["depth"], soft_loss, answer(both_400, scenes))
train("pupil of the student", ["depth"], soft_loss, own)
train("the same, 400 images", ["depth"], soft_loss, own, few)
train("hard answers", ["depth"], hard_loss, own)
means = class_means[scenes.labels]
_ = train("mean answer, 400 images", ["depth"], soft_loss, means, few)

# %% alt="Six rows of three dots, points above the student of 400 labels. The teacher of both spreads from 6 below to 6 above. All five pupils lie 2 to 5 above on average; depth teaches depth has the highest mean."
table = course.beside("teachers.csv", scores, seed, record).T  # and other seeds
pupils = {
    "its pupil": "both teach depth",
    "pupil of the student": "depth teaches depth",
    "the same, 400 images": "… 400 images",
    "hard answers": "… hard answers",
    "mean answer, 400 images": "… mean answer, 400 images",
}
ways = gains(table, ["teacher, 400 labels", *pupils], "student, 400 labels")
title = "400 labels: a pupil gains, and depth alone can teach it"
named = {pupils.get(name, "teacher of both"): own for name, own in ways.items()}
over = "the student of 400 labels, % right"
figure = teaching.plot_gains(named, title, over=over)

# %% [markdown]
# On average of three seeds the pupil of depth gains most, four points, and its interval lies above zero. For the pupil of both sensors three seeds do not decide (2.7 on average, six points lost to eleven gained). Which of the three things did a pupil need? For that we compare two pupils of the same seed:

# %%
pupil = table["pupil of the student"]
for name in pupils:
    if name != "pupil of the student":
        more = pupil - table[name]
        low, high = stats.ttest_1samp(more, 0).confidence_interval()
        text = f"{more.mean():+.1f} points, {low:+.1f} to {high:+.1f}"
        print(f"depth teaches depth, minus {pupils[name]}: {text}")

# %% [markdown]
# **That a pupil needs the second sensor cannot be seen here.** The pupil of depth lies 1.7 points above the pupil of both, but the interval reaches from six points below to nine above, so three seeds do not decide which teacher is the better one. They do show that depth can teach depth.
#
# Nor do they decide between images and softness. Each pupil that lacks something lies one to two points lower on average. Only the interval of hard answers lies above zero, and barely; with four comparisons, one such interval may be chance.
#
# One thing is clear: the pupil that sees the 400 labelled images alone gains as well, by two to three points in each seed. It has no new image and no second sensor, only its teacher's answers in place of the labels. And nothing is lost if each answer is the mean of its class, on average 2.5 points in the place of 2.4. So a part of what helps is softness alone. Such students are called [born-again networks](https://arxiv.org/abs/1805.04770).
#
# ## What you found
#
# **A teacher has most to say where the label is silent and where the student's own image shows the answer.** With every label, a teacher that was 17 points ahead taught the student nothing. Far away the depth image does not show the answer, in ordinary scenes the label has given it, and in the dark the teacher knows less than its student. With 200 labels the student gained 8.5 points from a teacher that was hardly ahead. Whether such a gain takes a second sensor is open: with 400 labels a teacher of depth did as well, in three seeds.
#
# For your own two sensors:
#
# - Look where the teacher leads. Only what your deployed sensor shows can be taught.
# - If every pair has its label, expect nothing from a teacher.
# - If most labels are missing, let a teacher answer the other scenes. First try a teacher that reads the deployed sensor alone, which needs no second sensor at all. Then try agreed labels, as in 00: with 200 labels they gained more: depth 16.5 points, where the teacher of both sensors brought 8.5. The guide has [one table](../docs/guides/second_sensor.md#what-to-do) of what was gained on which data.
# - Compare the teacher with each of its sensors, in each kind of scenes. A network of both can be worse than one.
#
# In [00](00_start_here.ipynb) pairs helped depth, through a contrast. DisCoM-KD has five other losses. **Does any of them help?** [05](05_ablations.ipynb) leaves them out one by one.
#
# ## Exercises
#
# 1. **Warm-up.** Write `pull(student, teacher, T)`: the gradient of `kd` with respect to the student's logits, by hand. What is left of T²?
# 2. **Change one thing.** Replace the teacher by a rule. Write `softer_loss(logits, labels, teacher)`: the label's class gets 0.7, and 0.3 is spread evenly over all nine, this one too. Train with it on the 400.
# 3. **Open.** With how many labels is a teacher of both sensors useful? Train some, and a pupil of each on all scenes. Enter labels → pupil's accuracy in `worth`: one below `goal`, one above.
#
# ## Quiz
#
# 1. A teacher is 17 points above the student. What can be taught? (a) 17 points. (b) What the student's own image shows. (c) Nothing.
# 2. T goes from 4 to 8, without T². Then (a) nothing changes, (b) the soft label counts about a quarter beside the label, (c) the teacher becomes surer.
# 3. With few labels a pupil of a teacher of both sensors beats a student. What helped? (a) The second sensor. (b) The sensor, the images or the soft labels. (c) The images.
#
# <details><summary>Answers</summary>
#
# 1. **b**, and this includes errors. Not *a*: far away one answer must serve three materials. Not *c*: where a label is missing, the teacher's answer is new.
# 2. **b**: its gradient shrinks by four. Not *a*: the balance moves. Not *c*: it becomes softer.
# 3. **b**: controls tell which. Not *a*, not *c*: each is one of three.
#
# </details>
#
# **References.** Hinton et al., [Distilling the knowledge in a neural network](https://arxiv.org/abs/1503.02531), 2015. Zhao et al., [Decoupled knowledge distillation](https://arxiv.org/abs/2203.08679), CVPR 2022. Sun et al., [Logit standardization](https://arxiv.org/abs/2403.01427), CVPR 2024. Furlanello et al., [Born-again networks](https://arxiv.org/abs/1805.04770), ICML 2018. Wang et al., [What makes training multi-modal classification networks hard?](https://arxiv.org/abs/1905.12681), CVPR 2020. Huang et al., [Modality competition](https://arxiv.org/abs/2203.12221), ICML 2022.


# %%
def pull(student, teacher, T): ...


def softer_loss(logits, labels, teacher): ...


worth, goal = {}, scores["student, 400 labels"] + 5  # the teacher's labels → pupil
exercises.check(pull, softer_loss, worth, goal)
finish()
