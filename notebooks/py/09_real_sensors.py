# %% [markdown]
# # 09 · Does it hold where nobody drew the data?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/09_real_sensors.ipynb) · [solutions](solutions/py/09_real_sensors.py)
#
# A clinic wants a wristband that names which of seven shoulder exercises its wearer does. Ten persons wore a watch with an **accelerometer** and a **gyroscope**. Only one of them noted which exercise she did when. So about a hundred windows, of four seconds each, have a label. The wristband will have one of the two sensors, if that is enough.
#
# Both sensors recorded the same seconds. On synthetic scenes such unlabelled **pairs** were worth hundreds of labels ([08](08_when_a_second_sensor_helps.ipynb)). And here?
#
# **Write down one number.** A gyroscope network that learns from one person's labels is right in some 60 % of new persons' windows; guessing, in 14 %. What will it reach if it also trains on the unlabelled pairs?
#
# | At a glance | |
# |---|---|
# | You will | **write** the line that makes labels from two sensors · **test** two doubts · **decide** by a table |
# | You need | notebook [00](00_start_here.ipynb) |
# | Time, memory | five minutes of a free core, 2 GB |
# | Data, licence | recordings of [Burns et al. 2018](https://arxiv.org/abs/1802.01489), [BSD-3](../data/watch-LICENSE.txt) |

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

# %% jupyter={"source_hidden": true} tags=["parameters", "hide-input"]
seed = 0  # of who has labels, weights and batches
steps = 200
profile = "cpu"  # tiny: a few steps, results mean nothing
record = ""  # a file that keeps the scores

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"outputs_hidden": true, "source_hidden": true} tags=["hide-cell"]
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_09 as exercises
from discom.notebook import check, finish, stamp
from pictures import wristband as pictures

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, device=device)
steps = 5 if profile == "tiny" else steps

# %% alt="Four windows in columns, accelerometer above gyroscope. The gyroscope's curves of internal and external rotation of person 8 look alike; internal rotation of person 1 is small and slow, of person 3 large and fast."
file = np.load("../data/watch.npz")  # it comes with the repository
labels = torch.tensor(file["label"].astype(int))
person = torch.tensor(file["person"].astype(int))
signals = {}  # sensor → windows [1149, 3 axes, 100 samples]
for sensor in ("acc", "gyro"):  # the file holds whole numbers of small steps
    signals[sensor] = torch.Tensor(file[sensor] * file[f"{sensor}_step"])

# in a mirror a left arm is a right one: x points back, and turns about y and z reverse
left = torch.tensor(file["side"] == 0)
signals["acc"][left, 0] *= -1
signals["gyro"][left, 1:] *= -1
figure = pictures.show_exercises(signals, labels, person)

# %% [markdown]
# Two exercises can look alike (columns 1, 2), and one can differ between persons (1, 3, 4). So we test on **new persons**: five times, two are kept for the test, and one of the other eight has labels. A score is the mean over persons.
#
# ## A network for signals
#
# A window has three axes and 100 samples; a small ResNet reads it along time.


# %%
class Block(nn.Module):
    def __init__(self, inside, outside):
        super().__init__()
        first = nn.Conv1d(inside, outside, 5, stride=2, padding=2)
        second = nn.Conv1d(outside, outside, 5, padding=2)
        norms = nn.BatchNorm1d(outside), nn.BatchNorm1d(outside)
        self.body = nn.Sequential(first, norms[0], nn.ReLU(), second, norms[1])
        self.short = nn.Conv1d(inside, outside, 1, stride=2)

    def forward(self, x):
        return F.relu(self.body(x) + self.short(x))


def network():
    scale, start = nn.BatchNorm1d(3, affine=False), nn.Conv1d(3, 16, 7, 2, 3)
    blocks = Block(16, 32), Block(32, 32), nn.AdaptiveAvgPool1d(1), nn.Flatten()
    return nn.Sequential(scale, start, nn.ReLU(), *blocks, nn.Linear(32, 7)).to(device)


# %% [markdown]
# ## What may change and leave the exercise the same?
#
# A watch sits differently on each wrist, an arm swings wider, a window starts at any moment. So a **view** of a window is rotated, scaled and shifted at random. A *strong* view is rotated and scaled twice as much, and one second is silent. (These views are crude: what is shifted out at the end returns at the start, and scale and silence change gravity, too.)


# %%
def rotations(n, degrees):  # about a random axis, by up to so many degrees
    axes = F.normalize(torch.randn(n, 3)) * torch.rand(n, 1) * np.radians(degrees)
    crossed = torch.linalg.cross(axes[:, None], torch.eye(3)[None])  # axis × x, y, z
    return torch.linalg.matrix_exp(crossed.mT)


def view(x, strength=1):  # of windows [n, 3, 100]
    scale = 1 + 0.1 * strength * torch.randn(len(x), 1, 1)
    x = rotations(len(x), 20 * strength) @ x * scale
    time = torch.arange(100)
    shifted = (time + torch.randint(100, (len(x), 1))) % 100  # sample numbers [n, 100]
    x = torch.take_along_dim(x, shifted[:, None], dim=2)
    start = torch.randint(75, (len(x), 1))
    silent = (time >= start) & (time < start + 25)
    if strength > 1:
        x = x.masked_fill(silent[:, None], 0.0)
    return x


turns = rotations(50, 20)
check("a rotation keeps lengths", (turns @ turns.mT - torch.eye(3)).abs().max() < 1e-5)

# %% [markdown]
# ## Who labels the windows of the others?
#
# Each step takes 35 labelled windows, and 64 windows of all eight persons without labels. A *judge* says from whose probabilities each network learns. Where they give an exercise 90 % or more for the weak view of a window, this exercise becomes the label of its *strong* view. Other windows are skipped. Two judges:
#
# - **Own labels:** each network believes itself (FixMatch).
# - **Pair labels:** both networks learn from the *product* of both probabilities.
#
# The threshold is higher than the 30 % of 00, since a network that knows one person is often sure and wrong about others. Threshold and steps are not tuned. The *contrast* of 08, which did most for depth there, is left out, so that this page asks one thing: who should label?
#
# **Write `pair_labels` before you go on.** A belief holds log probabilities, 64 windows by seven exercises; the logarithm of a product is a sum. Your line should work for any two networks, since other pairs will use it.


# %%
def own_labels(beliefs):  # sensor → its belief; returns whom each sensor learns from
    return beliefs


def pair_labels(beliefs): ...  # your line


solved = exercises.pairs(pair_labels)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
if not solved:  # so that all below runs

    def pair_labels(beliefs):
        return dict.fromkeys(beliefs, sum(beliefs.values()))


# %%
def sure(belief):  # which windows get a label, and which label
    confidence, guess = belief.softmax(1).max(1)
    return confidence >= 0.9, guess


def pseudo_loss(logits, belief):
    chosen, guess = sure(belief)
    guess = guess.masked_fill(~chosen, -100)  # cross_entropy skips -100
    return F.cross_entropy(logits, guess, reduction="sum") / len(guess)


# %%
def train(rows, labelled, judge, signals, diary):
    torch.manual_seed(seed)
    networks = {sensor: network() for sensor in signals}
    weights = [w for own in networks.values() for w in own.parameters()]
    optimizer = torch.optim.AdamW(weights, weight_decay=0.01)
    schedule = OneCycleLR(optimizer, 0.005, total_steps=steps + 1)
    for step in range(1, steps + 1):
        known = labelled[torch.randint(len(labelled), (35,))]
        pool = rows[torch.randperm(len(rows))[:64]]
        loss, beliefs, strong = 0.0, {}, {}
        for sensor, own in networks.items():
            x = signals[sensor]
            parts = [view(x[known])]
            if judge:
                parts += [view(x[pool]), view(x[pool], strength=2)]
            logits = own.train()(torch.cat(parts).to(device))
            loss += F.cross_entropy(logits[:35], labels[known].to(device))
            if judge:
                weak, strong[sensor] = logits[35:].chunk(2)
                beliefs[sensor] = weak.detach().log_softmax(1)
        if judge:
            ramp = min(1, step / steps / 0.3)  # grows over the first 30 % of the steps
            for sensor, belief in judge(beliefs).items():
                loss += ramp * pseudo_loss(strong[sensor], belief)
        diary.append((beliefs, labels[pool], ~torch.isin(pool, labelled)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return {sensor: own.eval() for sensor, own in networks.items()}


# %%
def one_person(rows, fold):  # all windows of one training person
    draw = torch.Generator().manual_seed(10 * seed + fold)
    people = person[rows].unique()
    chosen = people[torch.randint(len(people), (1,), generator=draw)]
    return rows[person[rows] == chosen]


def evaluate(judge=None, draw=one_person, signals=signals):
    answers, diary = {sensor: torch.zeros(len(labels), 7) for sensor in signals}, []
    for fold in range(5):
        new = person % 5 == fold
        rows = torch.nonzero(~new)[:, 0]
        networks = train(rows, draw(rows, fold), judge, signals, diary)
        for sensor, own in networks.items():
            answers[sensor][new] = (
                own(signals[sensor][new].to(device)).detach().log_softmax(1).cpu()
            )
    return answers, diary


# %%
def score(answer):  # % of windows right, for each of the ten persons
    right = 100 * (answer.argmax(1) == labels).float()
    return [right[person == k].mean().item() for k in range(10)]


judges = {"labels alone": None, "own labels": own_labels, "pair labels": pair_labels}
answers, diaries = {}, {}
for way, judge in judges.items():
    answers[way], diaries[way] = evaluate(judge)
    acc, gyro = (np.mean(score(belief)) for belief in answers[way].values())
    print(f"{way}: accelerometer {acc:.0f} %, gyroscope {gyro:.0f} % right")

# %% [markdown]
# In this run own labels lower both scores. With pair labels the gyroscope reaches 65 %.
#
# ## Is that one lucky seed?
#
# In two more stored runs other persons have the labels. Do pair labels still beat labels alone on the gyroscope?

# %% alt="Two panels, pair labels minus labels alone, ten dots a seed. Gyroscope: the mean of two seeds lies above zero, of one at zero; on average eight persons gain, two lose, and the interval of the mean spans zero. Accelerometer: one seed six points below zero; the interval of the mean spans zero."
table = pictures.with_stored(answers, score, seed)  # and two more seeds, stored
gains = pictures.differences(table, "pair labels", "labels alone")
figure = pictures.plot_gains(gains)
print(pictures.compared(table, "own labels", "labels alone"))
print(pictures.compared(table, "pair labels", "labels alone"))
pictures.by_person(table)

# %% [markdown]
# With two of the three. The gyroscope gains three points on average, but the 95 % interval over persons spans zero, because persons differ: **eight of ten gain, and two lose ten points or more.** A possible cause: in the table, those who lose are the two for whom the accelerometer alone has the smallest lead over the gyroscope alone. (In part this arises by itself: the gyroscope alone is in both rows.)
#
# **For the accelerometer, the better sensor, pairs are not shown to help.** With seed 1 they cost it six points, and we do not know why. Own labels are no rival: they cost the gyroscope about ten points.
#
# ## Another sensor, a better one, or just a second network?
#
# - **Twin labels:** a second network of the gyroscope takes the accelerometer's place.
# - **Lent labels:** no product. The accelerometer learns from the one person alone, the gyroscope from the accelerometer's belief.
#
# **Guess:** which of these two controls does as well as pair labels?


# %%
def lent_labels(beliefs):  # the accelerometer itself learns from the one person alone
    return {"gyro": beliefs["acc"]}


twins = {"gyro": signals["gyro"], "twin": signals["gyro"]}
answers["twin labels"], diaries["twin labels"] = evaluate(pair_labels, signals=twins)
answers["lent labels"], diaries["lent labels"] = evaluate(lent_labels)
table = pictures.with_stored(answers, score, seed)
for other in ("labels alone", "pair labels"):
    print(pictures.compared(table, "lent labels", other))
pictures.by_seed(table)

# %% [markdown]
# Lent labels do. The interval of their difference from pair labels spans zero, so we see no use of the product. The twin does no better than own labels: a second network is not enough. But these runs cannot tell whether the accelerometer's labels help because it is *another* sensor or the *better* one.
#
# *Lent labels* teach the accelerometer nothing new, and yet its score differs from *labels alone* by up to three points. Its random draws are others, and unlabelled windows pass through its BatchNorm. So a difference of three points from *labels alone* need not come from who labels.
#
# ## Why do own labels mislead?
#
# Our suspicion: a network that knows one person is *sure* of wrong exercises on others, and learns these. A twin makes the same mistakes, another sensor others. `train` kept the labels that it made. How many were right?

# %%
judges |= {"twin labels": pair_labels, "lent labels": lent_labels}
for way in list(judges)[1:]:
    beliefs, truth = pictures.joined(diaries[way])
    for sensor, belief in judges[way](beliefs).items():
        chosen, guess = sure(belief)
        share, hits = chosen.float().mean(), (guess == truth)[chosen].float().mean()
        print(f"{way}, {sensor}: {share:.0%} of the windows, {hits:.0%} right")

# %% [markdown]
# As suspected, the gyroscope is often sure and wrong. Of its own labels 55 % were right, of twin labels 53 %, of pair labels 71 %; of lent labels, which are fewer, 76 % (one seed).
#
# Do other networks make other mistakes? We compare networks of labels alone, which never taught each other, on new persons. Where the gyroscope is sure and wrong, how often is the other network sure of the *same wrong* exercise? *By chance*: the other's answers are shuffled among the windows of each exercise.

# %%
separate = {"acc": answers["labels alone"], "twin": evaluate(signals=twins)[0]}
for other, belief in separate.items():
    share, chance = pictures.overlap(belief["gyro"], belief[other], labels, sure)
    print(f"gyroscope and {other}: the same in {share:.0%}, by chance in {chance:.0%}")

# %% [markdown]
# The twin repeats more than half of the gyroscope's sure mistakes, the accelerometer a fifth. By chance both would repeat 6 or 7 %. Where both are sure of the same wrong exercise, so is their product: pair labels repeat this mistake. In the other windows they may correct the gyroscope, or skip the window.
#
# ## Twenty more pairs
#
# In another data set, eight persons do 19 activities with five **units** on torso, arms and legs; each has three sensors. So a pair is two *places on the body*, not two types of sensor. We deploy one unit and train it beside one of the other four: 20 pairs. One person has labels; runs are stored, scores F1.
#
# In half of the pairs the other unit is the *weaker* one. **Guess:** does it help, too?

# %% alt="A row for each of five deployed units, F1 points above labels alone. All pairs of the right arm lie right of zero, with every draw of labels; those of the right leg lie about zero, and their lines cross it. The twins lie about zero or below."
units = pictures.stored_units()
figure = pictures.plot_units(units)
pictures.unit_means(units)

# %% [markdown]
# Yes: a weaker unit adds 2 points to labels alone on average, a better one 7; a twin costs a point. Over all 20 pairs the gain is 4.5 points, with a 95 % interval over persons of [+3.1, +6.0] ([rows](../docs/results/real.md)). Only 11 pairs gain with every draw. The arms gain most: they are weak, and most of their partners are better. Which of the two is the cause, these runs do not tell.
#
# ## Which one do you deploy?
#
# A rule: *a gain counts if its 95 % interval over persons lies above zero; else take what is simpler*, one sensor and labels alone. (Here the three seeds are in the mean. [11](11_your_own_data_and_deployment.ipynb) has one run, and also asks that other seeds agree.)
#
# On the watch, *both* multiplies the probabilities of two networks. **Guess:** does it gain above the accelerometer alone?

# %%
pictures.decision(table)

# %% [markdown]
# **Take out both guesses.** The gyroscope alone is right in 58 % of the windows, with pair labels in 61 %, with lent labels in 62 %. *Both* scores three points above the accelerometer alone, but the interval spans zero. By the rule you deploy **the accelerometer, trained on labels alone**. With labels of all persons and longer training it reaches 88, the gyroscope 80 (stored, [F1](../results/watch.md)).
#
# ## What you found
#
# **With one person's labels, own labels cost the watch's gyroscope about ten points. The accelerometer's lifted it in pairs with two of three seeds, and lent with all three; a twin's never did. Pairs helped eight of ten persons and cost two ten points or more, so the mean gain is not decided. Pairs are not shown to help the accelerometer. On the body they gained 4.5 points, on the legs least.**
#
# For your own two sensors, with labels of one person:
#
# - *You may choose one:* the better sensor, on labels alone.
# - *It must be the weaker one:* by the rule, on labels alone. Labels of the better one, lent or in pairs, are worth a test on several new persons: most may gain and some lose.
# - *You may deploy both:* multiply two networks on labels alone, if a test on your data shows a gain; here it is not decided.
# - *Two places on the body:* train with pairs, above all an arm.
#
# Better, **ask many persons for a few labels each**. In the [solution of exercise 2](solutions/py/09_real_sensors.py), with 35 labelled windows of eight persons and without pairs, the accelerometer is right in 81 % of the windows, the gyroscope in 63 %. Our longer runs with such labels are not finished ([withdrawn](../docs/results/protocol.md#withdrawn)). What two sensors gained in every other case stands in [one table](../docs/guides/second_sensor.md#what-to-do).
#
# ## Exercises
#
# 1. **Warm-up.** Three sensors, not always on. `vote(beliefs, has)` returns the logarithm of the product of those that are on, scaled so that the probabilities of a window sum to one. `has` maps each sensor to a tensor of bools, true for the windows in which it was on. At least one always was.
# 2. **Change one thing.** `some(rows, fold)` draws five windows of each exercise, of any person. Run `evaluate` with it, for labels alone and pair labels. Who gains now?
# 3. **Open.** Put 0.5 into `sure`, and run `evaluate` with own labels. Enter the gyroscope's score with both thresholds, in %.
#
# ## Quiz
#
# 1. A network grows surer of new persons. That says (a) it has learned these persons, (b) nothing, without labels to check, (c) the threshold is low.
# 2. A twin did not help the gyroscope, the accelerometer did. It takes (a) another type of sensor, (b) a better one, (c) one or both of these.
# 3. Either of your sensors may break. You deploy (a) one network of both, zeros for what is missing, (b) a network for each, (c) the better one alone.
#
# <details><summary>Answers</summary>
#
# 1. **b**: the gyroscope was sure and often wrong. Not *a*: being sure is no evidence. Not *c*: the threshold changes no belief.
# 2. **c**: the accelerometer is another sensor *and* the better one.
# 3. **b**: each works alone. Not *a*: in [stored runs](../docs/results/real.md) it lost 39 points or more. Not *c*: when it breaks, nothing is left.
#
# </details>
#
# **References.** Sohn et al., [FixMatch](https://arxiv.org/abs/2001.07685), NeurIPS 2020. Barshan and Yüksek, 2014, [Daily and sports activities](https://archive.ics.uci.edu/dataset/256/daily+and+sports+activities).


# %%
def vote(beliefs, has): ...


def some(rows, fold): ...


exercises.check(vote, some, {0.5: None, 0.9: None}, person, labels)
course.keep(table[table["seed"] == seed], record)
finish()
