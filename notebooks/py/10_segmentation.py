# %% [markdown]
# # 10 · Thirty masks, six hundred pictures: who draws the rest?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/10_segmentation.ipynb) · [solutions](solutions/py/10_segmentation.py)
#
# You build a machine that looks at a picture and names the material at every pixel. Such an answer is called a **mask**. Drawing one by hand takes minutes, so you have drawn masks for only 30 of your 600 pictures. A depth camera stood beside the colour camera when the pictures were taken. The finished machine will carry the colour camera alone.
#
# A network can draw the other 570 masks. We call it the **teacher**. The network that learns from its drawings, and that you deploy, is the **student**.
#
# ![Above, the teacher has two encoders and one decoder. The first encoder reads colour, the second reads depth or colour once more. Below, the student has one encoder and one decoder and reads colour. Half of its loss compares its answer with the drawing of the teacher, half with the 30 masks drawn by hand.](../docs/_static/dense-teacher.svg)
#
# The teacher has two encoders. In one version the second encoder reads depth. In the other version, our control, it reads the colour picture once more. All the rest is equal, but for the first layer of that encoder, which must fit three colours or one depth.
#
# A mask is scored from 0 to 100 points, and 100 means that every pixel is right. A colour network that learns from the 30 masks alone reaches about 50.
#
# **Write down a guess.** The student never sees depth. By how many points is it better if its teacher does?
#
# | At a glance | |
# |---|---|
# | You will | **write** a segmentation network, its teacher, and the losses of CroDiNo-KD · **find out** what a teacher cannot pass on · **decide** for your own two sensors |
# | You need | the soft labels of [04](04_teacher_and_student.ipynb) |
# | Time, memory | about seven minutes of one CPU core, 2 GB |
# | Data, licence | scenes drawn here, MIT; of 100 patients only scores |

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
data = "scenes-dense"  # drawn with the seed
seed = 0  # of scenes, weights and batches
steps = 700  # of each training, eight pairs a step
profile = "cpu"  # tiny: a few steps, results mean nothing
record = ""  # a file that keeps the scores

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"source_hidden": true} tags=["hide-input"]
from functools import partial

import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_10 as exercises
from discom import crodino_kd
from discom.data.augmentation import apply_d4, invert_d4
from discom.evaluation.scores import dense_scores
from discom.losses import dense
from discom.models.segmentation import network as package_network
from discom.notebook import check, finish, stamp
from pictures import segments

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data, device=device)
steps = 5 if profile == "tiny" else steps

# %% [markdown]
# ## What the two cameras see

# %% alt="Six scenes in three rows. Colour shows textures in four objects, depth shows reliefs in the same outlines with white holes, and the masks show background, wood, metal and stone. Lines are drawn around two striped objects of metal and a checked one of wood."
scenes, test, best = segments.load(data, seed, device=device)
images = scenes.images  # "rgb": [600, 3, 64, 64], "depth": [600, 1, 64, 64]
drawn = 30  # pictures with a mask
masks = scenes.masks.clone()  # [600, 64, 64]: a class for each pixel
masks[drawn:] = 255  # nobody drew these
title = "Outlined: objects whose colour deceives"
figure = segments.show_scenes(scenes, range(6), title)

# %% [markdown]
# A picture shows four objects. The colour camera sees textures: wood is striped, metal is checked, stone has rings. The depth camera sees reliefs: wood is flat, metal is domed, stone is ridged. In the white blocks it measured nothing.
#
# **Outlined objects deceive.** Three in ten wooden objects have the checks of metal, and three in ten of metal have the stripes of wood. Nothing in the photograph gives them away, but depth does. Depth confuses metal and stone in the same way, and there colour helps. Whoever sees both can name every object.
#
# ## How good is a mask?
#
# Take one class. **IoU** (*intersection over union*) counts the pixels that both the answer and the true mask give to this class, and divides them by the pixels that either of them gives to it. Here are six pixels. The answer finds one of two pixels of stone, which is class 3. Nobody drew the last pixel (255), so it does not count.


# %%
def iou(answer, truth, k):
    has_class = truth != 255
    both = (answer == k) & (truth == k) & has_class
    either = ((answer == k) | (truth == k)) & has_class
    return both.sum() / either.sum()


truth = torch.tensor([[0, 0, 3], [0, 3, 255]])
one_answer = torch.tensor([[0, 0, 3], [0, 0, 3]])
print(f"stone: {iou(one_answer, truth, 3):.2f}")  # 1 pixel of 2
print(f"background: {iou(one_answer, truth, 0):.2f}")  # 3 pixels of 4

# %% [markdown]
# The score of a network is **mIoU**, the mean over the four classes, in percent.


# %%
def miou(answer, truth):  # %, the mean over the four classes
    return 100 * torch.stack([iou(answer, truth, k) for k in range(4)]).mean().item()


two_masks = torch.randint(4, (2, 9, 64, 64))  # an answer and a truth of nine pictures
package_miou = dense_scores(*two_masks, scenes.classes)["miou"]
check("the package gives your mIoU", abs(miou(*two_masks) - package_miou) < 1e-3)
print("best possible mIoU:", {name: round(value) for name, value in best.items()})

# %% [markdown]
# The best possible network of colour scores 77. It believes every texture, so it names all objects right whose colour is true, and takes every deceiving object for the wrong material.
#
# ## A network that answers for every pixel
#
# A **U-Net** first makes ever coarser maps of a picture, and then returns to its full size. The first half is the **encoder**. Each place of its finest map reads 10 × 10 pixels, enough for an edge. Each place of its coarsest map reads 64 × 64 pixels, as many as the whole picture has.


# %%
def unit(inside, outside, size=3):
    convolve = nn.Conv2d(inside, outside, size, padding=size // 2, bias=False)
    return nn.Sequential(convolve, nn.BatchNorm2d(outside), nn.ReLU())


class Encoder(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.fine = nn.Sequential(unit(4 * bands, 16), unit(16, 16))
        self.middle = nn.Sequential(unit(16, 32), unit(32, 32))
        last = unit(64, 64)[:-1]  # no ReLU: the correlations below need both signs
        self.coarse = nn.Sequential(unit(32, 64), last)

    def forward(self, x):
        fine = self.fine(F.pixel_unshuffle(x, 2))  # 2×2 pixels become channels
        middle = self.middle(F.max_pool2d(fine, 2))
        return [fine, middle, self.coarse(F.max_pool2d(middle, 2))]


# %% [markdown]
# The **decoder** enlarges the coarsest map twice. Each time it also reads the finer map of that size. Encoder and decoder together are the **branch** of a sensor, and a branch is all that is deployed.


# %%
class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.narrow_coarse, self.narrow_middle = unit(64, 32, 1), unit(32, 16, 1)
        self.join_middle, self.join_fine = unit(32 + 32, 32), unit(16 + 16, 16)
        self.classify = nn.Conv2d(16, 4, 1)

    def forward(self, maps):
        fine, middle, coarse = maps
        x = F.interpolate(self.narrow_coarse(F.relu(coarse)), scale_factor=2)
        x = self.join_middle(torch.cat([x, middle], 1))
        x = F.interpolate(self.narrow_middle(x), scale_factor=2)
        x = self.join_fine(torch.cat([x, fine], 1))
        return F.interpolate(self.classify(x), scale_factor=2, mode="bilinear")


class Branch(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.encoder, self.decoder = Encoder(bands), Decoder()

    def forward(self, x):
        return self.decoder(self.encoder(x))


# %%
package_branch = package_network(3, 4)
branch = Branch(3)
weights = zip(branch.state_dict(), package_branch.state_dict().values(), strict=True)
branch.load_state_dict(dict(weights))  # layer by layer, in the order of both
two = images["rgb"][:2].cpu()
fine, middle, coarse = branch.encoder(two)
logits = branch(two)
shapes = {"picture": two, "fine": fine, "middle": middle, "coarse": coarse}
shapes["logits"] = logits
for name, tensor in shapes.items():
    print(f"{name:8}", *tensor.shape)
package_logits = package_branch(two)
check("the package's network gives your logits", torch.equal(logits, package_logits))

# %% [markdown]
# ## Thirty masks alone
#
# The network *alone* learns from the 30 masks and from nothing else. Its loss is the cross-entropy, the mean over all pixels that somebody drew. Try it on two pictures, one without a mask. If all four logits are equal, each pixel with a class costs log 4 = 1.3863:


# %%
def label_loss(logits, rows):  # [B, 4, 64, 64], numbers of B pictures
    return F.cross_entropy(logits, masks[rows], ignore_index=255)


rows = torch.tensor([0, -1])  # the first has a mask, the last has none
equal_logits = torch.zeros(2, 4, 64, 64, device=device)
print(f"{label_loss(equal_logits, rows).item():.4f}")

# %% [markdown]
# A step of the training shows eight pictures: four that have a mask, and four of all 600. Each is turned and mirrored at random (a *motion*), and the logits are moved back before the loss reads them.


# %%
def fit(network, loss):  # loss(network, rows)
    network.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.03)
    rates = steps + 1  # one for each step, and one that is set after the last
    schedule = OneCycleLR(optimizer, 0.01, rates, cycle_momentum=False)
    for _ in range(steps):
        with_mask = torch.randint(drawn, (4,))
        any_picture = torch.randint(len(masks), (4,))
        optimizer.zero_grad()
        loss(network, torch.cat([with_mask, any_picture])).backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def look(branch, rows):  # at colour
    motions = torch.randint(8, rows.shape)
    logits = branch(apply_d4(images["rgb"][rows], motions))
    return invert_d4(logits, motions)


def alone_loss(branch, rows):
    return label_loss(look(branch, rows), rows)


# %%
@torch.no_grad()
def answer(network, *pictures):  # logits, a hundred pictures at a time
    parts = []
    for start in range(0, len(pictures[0]), 100):
        hundred = [sensor[start : start + 100] for sensor in pictures]
        parts.append(network(*hundred))
    return torch.cat(parts)


points, answers = {}, {}


def judge(name, network, *sensors):
    answers[name] = answer(network, *(test.images[s] for s in sensors)).argmax(1)
    points[name] = miou(answers[name], test.masks)
    print(f"{name}: mIoU {points[name]:.1f}")


torch.manual_seed(seed)
alone = fit(Branch(3), alone_loss)
judge("alone", alone, "rgb")

# %% [markdown]
# ## Two teachers
#
# The teacher has an encoder for each of its two images. The maps of both are added, and one decoder reads the sum.
#
# Such a sum has a trap: if one encoder learns faster, nothing makes the other one learn. So each encoder gets a *rough head*, one layer that must name the materials from the coarsest map of this encoder alone. The heads are used in training only.


# %%
class Teacher(nn.Module):
    def __init__(self, bands):  # of what the second encoder reads
        super().__init__()
        self.first, self.second = Branch(3), Encoder(bands)
        self.heads = nn.ModuleList([nn.Conv2d(64, 4, 1), nn.Conv2d(64, 4, 1)])

    def encode(self, colour, other):
        return self.first.encoder(colour), self.second(other)

    def decode(self, first, second):
        added = [a + b for a, b in zip(first, second, strict=True)]
        return self.first.decoder(added)

    def forward(self, colour, other):
        return self.decode(*self.encode(colour, other))


# %% [markdown]
# The loss of the teacher is the cross-entropy of its answer, and 0.4 times that of each rough head. The package has this teacher as `dense-teacher`. With the same weights, pictures and motions its loss must be yours.


# %%
def teacher_loss(teacher, rows, motions, other="depth"):
    colour = apply_d4(images["rgb"][rows], motions)
    second = apply_d4(images[other][rows], motions)
    maps = teacher.encode(colour, second)
    loss = label_loss(invert_d4(teacher.decode(*maps), motions), rows)
    for head, (_, _, coarse) in zip(teacher.heads, maps, strict=True):
        rough = F.interpolate(head(coarse), scale_factor=8, mode="bilinear")
        loss = loss + 0.4 * label_loss(invert_d4(rough, motions), rows)
    return loss


# %%
four = torch.tensor([0, 1, 2, -1])  # pictures; the last has no mask
four_images = {sensor: x[four] for sensor, x in images.items()}
four_motions = torch.tensor([0, 3, 5, 6])
new_teacher = Teacher(1).to(device)
your_loss = teacher_loss(new_teacher, four, four_motions)
package_teacher = segments.in_package("dense-teacher", new_teacher, device)
alike = {"rgb": four_motions, "depth": four_motions}  # both sensors move alike
package_loss = segments.package_loss(package_teacher, four_images, masks[four], alike)
check("the package's teacher has your loss", abs(your_loss - package_loss) < 1e-4)


# %%
def train_teacher(name, other):
    def loss(teacher, rows):
        return teacher_loss(teacher, rows, torch.randint(8, rows.shape), other)

    torch.manual_seed(seed + 1000)  # its student shall start from other weights
    teacher = fit(Teacher(len(images[other][0])), loss)
    judge(name, teacher, "rgb", other)
    return answer(teacher, images["rgb"], images[other])  # logits of all 600 pictures


drawings = {"colour twice": train_teacher("colour twice", "rgb")}
drawings["both sensors"] = train_teacher("both sensors", "depth")

# %% alt="Three scenes in rows: colour, the true mask, the drawing of the teacher that reads colour twice, and that of the teacher of both sensors. The second drawing is close to the true mask. The first has rounder outlines, and gives parts of objects to a wrong material."
title = "A teacher that sees depth draws better masks"
proposals = {name: logits.argmax(1) for name, logits in drawings.items()}
figure = segments.show_answers(scenes, [-1, -2, -3], proposals, title)

# %% [markdown]
# On new pictures the teacher of both sensors scores 82, the teacher that reads colour twice 58, and *alone* 55. The drawings show the difference: the teacher of both sensors has straighter outlines. Of the two objects that deceive it names one right, so three scenes do not tell who is better there; we count it below.
#
# ## The student learns from drawings
#
# Half of the student's loss is the cross-entropy with the 30 masks. The other half compares its probabilities $p^s$ with the teacher's $p^t$, which are the *soft labels* of [04](04_teacher_and_student.ipynb). The loss of one pixel is:
#
# $$ L_{soft} = T^2 \sum_c p^t_c \, \log \frac{p^t_c}{p^s_c}, \qquad p_c = \mathrm{softmax}_c(z_c / T) $$
#
# The loss of a batch is the mean over all its pixels. Our students take T = 1; CroDiNo-KD below takes T = 4, which softens both answers. Take two pixels and two classes. The student gives both classes ½ at both pixels. The teacher is sure of the first pixel, which costs log 2, and gives ½ at the second, which costs nothing. The mean is 0.3466.


# %%
def soft_loss(logits, teacher, T=1.0):
    log_t = (teacher / T).log_softmax(1)
    log_s = (logits / T).log_softmax(1)
    return T**2 * (log_t.exp() * (log_t - log_s)).sum(1).mean()


unsure = torch.zeros(1, 2, 1, 2)  # [B, classes, H, W]
sure_of_one = torch.tensor([[[[99.0, 0.0]], [[0.0, 0.0]]]])
print(f"{soft_loss(unsure, sure_of_one).item():.4f}")
of_student, of_teacher = torch.randn(2, 3, 4, 8, 8)  # logits
your_loss = soft_loss(of_student, of_teacher, 4.0)
package_loss = dense.pixel_wise(of_student, of_teacher, 4.0)
check("the package's soft labels cost the same", abs(your_loss - package_loss) < 1e-4)


# %%
def student_loss(branch, rows, drawing):
    logits = look(branch, rows)
    return (label_loss(logits, rows) + soft_loss(logits, drawing[rows])) / 2


for name, drawing in drawings.items():
    torch.manual_seed(seed)  # weights and batches of alone
    student = fit(Branch(3), partial(student_loss, drawing=drawing))
    judge(f"student of {name}", student, "rgb")

# %% [markdown]
# ## Was it depth?
#
# Both students started from the same weights and saw the same pictures in the same order. Their teachers have the same loss and, but for one first layer, the same size. They differ in what the second encoder read.
#
# One seed decides nothing. `segments.beside` puts the scores of this page above those of `results/segments.csv`, where these cells ran with ten seeds. If you change `seed`, the stored runs of all other seeds stand beside yours; of another number of `steps` none is stored.

# %% alt="A line for each of ten seeds, mIoU of three networks of colour. From alone to the student of colour twice all ten lines rise, on average by 5.4 points. From there to the student of both sensors six rise, and the mean difference is 0.9 points with an interval from minus 0.3 to 2.0."
scores = segments.beside(pd.DataFrame({"mIoU": points}), seed, steps)
title = "A teacher helps; whether it must see depth stays open"
figure = segments.plot_students(scores, title)

# %% [markdown]
# **Take out your guess.** With this seed the student of both sensors is 0.9 points better than the student of colour twice. Over ten seeds it is 0.9 points, too, and the 95 % interval, −0.3 to 2.0, contains zero. Whether depth helps the student is open.
#
# What helps with every seed is a teacher. The student of colour twice lies 5.4 points above *alone*, and neither it nor its teacher ever saw depth. The seed where *alone* fails, at 40, adds to this mean; without it 4.6 points are left. Seed 0, on this page, is the second best of the ten for *alone* and the best for the student of both sensors, so expect lower scores from your own.
#
# Without the control we would have compared the student of both sensors with *alone*, found more than six points, and thanked the depth camera for all of them.
#
# ## What a teacher cannot pass on
#
# The teacher of both sensors is far better than its control. Why does so little of that reach its student? A pixel can be wrong in three ways:
#
# - **Outline**: an object is taken for background, or the reverse. We count this as a share of all pixels.
# - **Wrong material where colour is true**: of all pixels of such objects, the share that is given to another material.
# - **Wrong material where colour deceives**: the same, of the pixels of objects that deceive.


# %%
def errors(answer):  # %, of one network's answers
    thing = test.masks > 0
    deceives = test.shown != test.masks
    outline = (answer > 0) != thing
    material = (answer != test.masks) & ~outline
    shares = {"outline": outline, "colour true": material[thing & ~deceives]}
    shares["colour deceives"] = material[deceives]
    return {kind: 100 * wrong.float().mean().item() for kind, wrong in shares.items()}


def all_scores(file=""):  # of all networks so far, and those of the stored seeds
    table = pd.DataFrame({name: errors(answers[name]) for name in answers}).T
    table.insert(0, "mIoU", points)
    return segments.beside(table, seed, steps, file)


segments.compare(all_scores(), "both sensors", "colour twice")

# %% [markdown]
# The teacher of both sensors makes fewer errors of all three kinds. **Guess:** in which kind does its student make *more* errors than the student of colour twice?

# %%
segments.compare(all_scores(), "student of both sensors", "student of colour twice")

# %% alt="Three scenes in rows: colour, the truth, the masks of the teacher of both sensors and of its student, with lines around deceiving objects. The teacher names nearly all of them right. The student names striped metal wood, and much of the checked wood metal."
title = "The teacher is right where colour deceives, its student often wrong"
most = (test.shown != test.masks).sum((1, 2)).topk(3).indices.tolist()
names = ("both sensors", "student of both sensors")
shown = {name: answers[name] for name in names}
figure = segments.show_answers(test, most, shown, title)

# %% [markdown]
# The answer: it makes more errors where colour deceives, with nine of ten seeds. Its outlines are better with every seed. Where colour is true its mean is better, but the interval contains zero.
#
# **More errors where colour deceives do not make a worse colour network.** The best possible one, with its 77 points, is wrong about *all* of these objects, because it believes every texture. So a better colour network should err more often there, and less where colour is true. Compare the two networks that have nothing to do with depth:

# %%
segments.compare(all_scores(), "student of colour twice", "alone")

# %% [markdown]
# The student of colour twice is the better one with every seed. It makes fewer errors where colour is true and, in the mean, more where colour deceives. *Alone* does not yet know its textures well enough to be deceived by them.
#
# **A suspicion.** A striped object is wood in seven of ten cases, so a colour network should always say wood. But where the teacher sees a dome under the stripes, its drawing says metal. The student does not see the dome and cannot tell which striped objects are meant. The drawing only makes it less sure that stripes mean wood, also where they do.
#
# **The test.** In scenes drawn here we know which objects deceive; in a real project nobody does. So we can leave their pixels out of the soft loss: there we put the student's own answer in the place of the drawing, which costs nothing. If the suspicion is right, the student makes fewer errors where colour is true, and more where it deceives.


# %%
def honest_loss(branch, rows, drawing):
    logits = look(branch, rows)
    is_true = (scenes.shown == scenes.masks)[rows]  # [B, 64, 64]: colour is true here
    own_answer = logits.detach()  # compared with itself it costs 0
    honest_drawing = torch.where(is_true[:, None], drawing[rows], own_answer)
    return (label_loss(logits, rows) + soft_loss(logits, honest_drawing)) / 2


torch.manual_seed(seed)
student = fit(Branch(3), partial(honest_loss, drawing=drawings["both sensors"]))
judge("student of both without deceit", student, "rgb")

# %%
without_deceit = "student of both without deceit"
segments.compare(all_scores(), without_deceit, "student of both sensors")

# %% [markdown]
# Both happen, with each of the ten seeds, and mIoU rises with nine of them. That fits the suspicion: no photograph tells which object deceives, so what the teacher knows about these objects cannot be passed on, and the attempt costs the student something elsewhere. It is no proof, because we did not take the deceit out of the drawings of *colour twice*, whose student it might help as well.
#
# That is one cause, and a small one: without deceit the student gains 1.6 points. It then stands at 58, and the best possible colour network at 77. Deceiving objects cannot explain the 19 points between, because the best network has all of them wrong, too. What is missing are outlines, and materials where colour is true. A student could learn these from its pictures; why ours does not, this test leaves open.
#
# ## Without a teacher: CroDiNo-KD, as we rebuilt it
#
# [CroDiNo-KD](https://arxiv.org/abs/2505.24361) needs no teacher: a branch of each sensor and a third decoder learn together. **We had its abstract and README but not the paper, so what follows is [our reconstruction](../docs/results/crodino.md), and a low score may be our fault.**
#
# Half of the channels of each map are *invariant*, meant for what both sensors see. The other half is *specific*, meant for the rest. The third decoder reads the invariant half of one sensor and the specific half of the other. In every second picture of a batch the two sensors change places. Which half comes from which sensor thus depends on the place of the picture in its batch, not on what it shows. Try it on two pictures whose maps have two channels and one place:


# %%
def cross(rgb, depth):  # maps of one size, [B, channels, h, w]
    rgb_inv, rgb_spec = rgb.chunk(2, 1)
    depth_inv, depth_spec = depth.chunk(2, 1)
    crossed = torch.cat([rgb_inv, depth_spec], 1)
    other_way = torch.cat([depth_inv, rgb_spec], 1)
    odd = torch.arange(len(rgb), device=rgb.device) % 2 == 1
    return torch.where(odd[:, None, None, None], other_way, crossed)


rgb_map = torch.tensor([[1, 2], [1, 2]])[:, :, None, None]  # 2 pictures, 2 channels
depth_map = torch.tensor([[30, 40], [30, 40]])[:, :, None, None]
print(cross(rgb_map, depth_map).flatten(1).tolist())  # 1 and 40, then 30 and 2

# %% [markdown]
# Two losses act on the coarsest maps. The first, **decorrelation**, keeps the halves of one map apart. Over all places it takes the correlation of each invariant channel with each specific channel, and averages the squares. A channel and a multiple of it cost 1.


# %%
def places(maps):  # [B, channels, h, w] → [B·h·w, channels]
    return maps.movedim(1, -1).flatten(0, -2)


def decorrelation(maps):
    rows = places(maps)
    unit_rows = (rows - rows.mean(0)) / rows.std(0, correction=0)
    invariant, specific = unit_rows.chunk(2, 1)
    correlation = invariant.T @ specific / len(rows)
    return correlation.square().mean()


one = torch.randn(2, 1, 8, 8)
print(f"{decorrelation(torch.cat([one, -3 * one], 1)).item():.4f}")
maps = torch.randn(8, 64, 8, 8)
difference = decorrelation(maps) - crodino_kd.decorrelation({"rgb": maps})
check("the package's decorrelation is yours", abs(difference) < 1e-6)


# %% [markdown]
# The second, the **contrast**, brings the invariant halves of both sensors together. The *partner* of a place of colour is the same place in depth. Let $a_i$ be the invariant half at place $i$ of colour and $b_j$ that at place $j$ of depth, both of length 1. Each place must find its partner among the places $j$ of the whole batch:
#
# $$ L_{con} = -\frac{1}{N} \sum_i \log \frac{e^{a_i \cdot b_i / 0.1}}{e^{a_i \cdot b_i / 0.1} + \sum_{j \in O_i} e^{a_i \cdot b_j / 0.1}} $$
#
# $O_i$ holds all places of depth but the partner and those that are known to have the class of $i$: two places of wood may look alike. The code also lets depth search in colour, and takes the mean of both. If all four places of a picture look alike, finding the partner costs log 4; if each has a look of its own, it costs almost nothing.


# %%
def contrast(first, second, classes, temperature=0.1):  # invariant halves
    a, b = F.normalize(places(first)), F.normalize(places(second))
    likeness = a @ b.T / temperature  # each place of one with each of the other
    classes = classes.flatten()
    same = (classes[:, None] == classes) & (classes != 255)
    same.fill_diagonal_(False)
    likeness = likeness.masked_fill(same, -torch.inf)
    partner = torch.arange(len(a), device=a.device)
    forth = F.cross_entropy(likeness, partner)
    back = F.cross_entropy(likeness.T, partner)
    return (forth + back) / 2


# %%
all_alike, different = torch.ones(1, 4, 2, 2), torch.eye(4).view(1, 4, 2, 2)
nobody = torch.full((1, 2, 2), 255)  # four places without a class
print(f"{contrast(all_alike, all_alike, nobody).item():.4f}")  # log 4
print(f"{contrast(different, different, nobody).item():.4f}")
first, second = torch.randn(2, 8, 32, 8, 8)
classes = torch.randint(4, (8, 8, 8))
your_loss = contrast(first, second, classes)
package_loss = dense.pixel_info_nce(first, second, classes)
check("the package's contrast is yours", abs(your_loss - package_loss) < 1e-4)

# %% [markdown]
# Let $z_m$ be the logits of the branch of sensor $m$, $z_3$ those of the third decoder, and $y$ the masks. The whole loss is:
#
# $$ L = \sum_{m} \left[ CE(z_m, y) + L_{soft}(z_m, z_3) + 0.05 \, L_{\perp}(m) \right] + 0.3 \, CE(z_3, y) + 0.02 \, L_{con} $$
#
# All three decoders learn the masks. Both branches also learn the answers of the third decoder, at every pixel and with T = 4. $L_{\perp}$ is the decorrelation. Each sensor is turned in its own way, so maps are turned back before they meet. The weights and T are our choice.


# %%
def side_by_side(model, rows, motions):
    logits, upright = {}, {}
    for sensor, x in images.items():
        maps = model[sensor].encoder(apply_d4(x[rows], motions[sensor]))
        logits[sensor] = invert_d4(model[sensor].decoder(maps), motions[sensor])
        upright[sensor] = [invert_d4(one_map, motions[sensor]) for one_map in maps]
    pairs = zip(upright["rgb"], upright["depth"], strict=True)
    crossed = model["crossed"]([cross(rgb, depth) for rgb, depth in pairs])
    loss = 0.3 * label_loss(crossed, rows)
    for sensor in images:
        loss = loss + label_loss(logits[sensor], rows)
        loss = loss + soft_loss(logits[sensor], crossed.detach(), 4.0)
    rgb, depth = upright["rgb"][-1], upright["depth"][-1]
    loss = loss + 0.05 * (decorrelation(rgb) + decorrelation(depth))
    classes = masks[rows][:, 4::8, 4::8]  # at the middle of each place
    return loss + 0.02 * contrast(rgb.chunk(2, 1)[0], depth.chunk(2, 1)[0], classes)


def new_model():
    return nn.ModuleDict({"rgb": Branch(3), "depth": Branch(1), "crossed": Decoder()})


# %%
own_motions = {"rgb": torch.tensor([0, 3, 5, 6]), "depth": torch.tensor([7, 0, 2, 4])}
check_model = new_model().to(device)
your_loss = side_by_side(check_model, four, own_motions)  # the four of the other check
in_package = segments.in_package("crodino", check_model, device)
package_loss = segments.package_loss(in_package, four_images, masks[four], own_motions)
check("the package's CroDiNo-KD has your loss", abs(your_loss - package_loss) < 1e-3)

# %% [markdown]
# **Guess:** does its colour branch end above the two students, between them, or below?


# %%
def crodino_loss(model, rows):
    motions = {sensor: torch.randint(8, rows.shape) for sensor in images}
    return side_by_side(model, rows, motions)


torch.manual_seed(seed)
model = fit(new_model(), crodino_loss)
judge("our CroDiNo-KD", model["rgb"], "rgb")

# %% [markdown]
# The third decoder reads both sensors, as a teacher does. But the branches copy its answers from the first step on, when it knows nothing yet. What if it learns first, and then draws? We freeze the trained model, its third decoder draws all 600 masks, and a new colour branch learns from them as the students above did.


# %%
def third_decoder(colour, depth):
    both = model["rgb"].encoder(colour), model["depth"].encoder(depth)
    scales = zip(*both, strict=True)
    return model["crossed"]([cross(rgb, depth) for rgb, depth in scales])


judge("its third decoder", third_decoder, "rgb", "depth")
drawing = answer(third_decoder, images["rgb"], images["depth"])
torch.manual_seed(seed)
student = fit(Branch(3), partial(student_loss, drawing=drawing))
judge("student of its third decoder", student, "rgb")

# %%
scores = all_scores(record)
segments.above_control(scores)

# %%
segments.compare(scores, "student of its third decoder", "our CroDiNo-KD")

# %% [markdown]
# The answer: with this seed the colour branch of our CroDiNo-KD ends below both students, and so does its mean over ten seeds, 53.5. But its scores range from 40 to 59, and the interval of its difference from the student of colour twice contains zero, so the order stays open.
#
# **The third decoder holds more than the branch learned from it.** A new student of its drawings is better than CroDiNo-KD's own branch with each of the ten seeds. But it differs in more than learning later: T is 1 and not 4, masks and drawings weigh half each, and decorrelation, contrast and the branch of depth are gone. Which of these changes helped, this test does not tell.
#
# The new student lies 2.3 points above the student of colour twice, and the interval just contains zero. Even if it did not, that would be no proof for depth, because this teacher is built differently from the control.
#
# ## With a mask for every picture
#
# Teachers draw missing masks. What is left of their gain when none is missing? The package has trained such networks with 30 masks and with 600, more than twice as long, and kept the weights that were best on 120 validation pictures with masks ([all scores](../docs/results/segmentation.md)). There the teacher that never sees depth is *one colour network* like *alone*; our control with two encoders has not been trained at this length.

# %% alt="Points of mIoU above alone, ten seeds a row, in two panels. With 30 masks: alone but twice as large 3.1, student of one colour network 2.1, student of both sensors 6.6, our CroDiNo-KD 3.5. With all 600 masks: 0.2, 0.1, minus 0.3 and minus 2.5."
title = "What 30 masks gain from a teacher is gone with all 600"
figure = segments.plot_gains(segments.stored_gains(), title)

# %% [markdown]
# **With all 600 masks nothing is left.** No student lies measurably above *alone*, and our CroDiNo-KD loses 2.5 points; we do not know which of its losses costs them. It may be that a drawing only replaces masks that are missing, but no run here has tested that.
#
# **With 30 masks the order is another one than on this page.** A teacher of its own sensor brings 2.1 points, a network twice as large brings 3.1 without any teacher, and a teacher of both sensors brings 6.6. But the teacher of both sensors has two encoders and rough heads here, and the other teacher has neither. So the 4.5 points between their students may come from depth, or from the larger teacher. Where both are built alike, on this page, the students differ by 0.9 points.
#
# ## What real masks say
#
# [Images of the brain](../data/README.md#brain-mri-lgg) of 100 patients with a tumour come in two kinds: **FLAIR** shows the tumour bright, **T1** hardly shows it. Doctors drew the masks on FLAIR. We show numbers alone, because the licence is non-commercial.
#
# The score is the **Dice** of the tumour, 2 IoU / (1 + IoU), a mean over patients. Each patient is tested by a network that never saw this patient. With masks of all patients one network of T1 and FLAIR scores 68, and T1 alone 35. **Guess:** what does a student of T1 gain from a teacher of both?

# %%
segments.of_patients(segments.patients())

# %% [markdown]
# The brackets hold points above T1 alone, with 95 % intervals over patients (one seed). **Your guess:** the student of both sensors lies 1.2 points below with masks of all patients, and 0.6 above with those of seven. Both intervals contain zero, so there is no gain that we could measure. That fits what you found on scenes: what T1 does not show, no teacher passes on. It does not prove it, because nobody knows the best possible score of T1.
#
# Another sensor helps more than any teacher: FLAIR alone reaches 62, and 44 with masks of seven patients. Part of this lead may be owed to the doctors, who drew the masks on FLAIR.
#
# ## Your own two sensors
#
# The [table of advice](../docs/guides/second_sensor.md#what-to-do) says in points how far each recipe lies above the best network that never saw the other sensor. Two of its lines speak of masks. The second also holds results with labels, which we leave out here:
#
# | situation | recommendation | gains | small or none |
# |---|---|---|---|
# | deploy one, few masks | a student of a teacher of both, `dense-kdv2`, if it gains on your data | scenes, RGB, masks for 5 % +3.5 [+1.7, +5.4] | scenes, depth, masks for 5 % +1.1 [+0.7, +1.6]<br>MRI, T1, 7 patients -0.8 [-2.8, +1.3] |
# | deploy one, a label for every pair | a network of this sensor alone | – | MRI, T1 -1.2 [-3.4, +0.9] |
#
# *5 %* are 30 of 600 masks. Under *gains* stand means of two points or more whose interval starts above zero. Under *small or none* stand smaller means with such an interval, like the +1.1 of depth, and intervals that contain zero and end below two. The rival of the +3.5 was a network twice as large; the control of this page was not among the rivals.
#
# **The verdict.** With few masks, a colour network that learns from drawn masks is better than *alone* on scenes, in the short trainings of this page and in the longer ones. On patients we could measure no gain. That the teacher must see the second sensor is not shown. So, if you deploy one of two sensors:
#
# 1. **Few masks?** First try what needs no second sensor: a teacher of your own sensor that draws the missing masks, and a network twice as large, if you can afford to deploy it. The first brought 5.4 of 6.3 points on this page. In the longer trainings it brought 2.1 of 6.6, and the larger network 3.1.
# 2. **Then try a teacher of both,** and keep it if it is better than both of these on masks that you hold back. It can help with what your sensor shows, not with what it does not show.
# 3. **A mask for every picture?** Train a plain network.
# 4. **Can you still choose the sensor?** Choose the one that shows the classes. No training brought T1 near FLAIR.
#
# The student of CroDiNo-KD's third decoder has the highest mean of this page that a real project could reach, 58.1. It is not shown to be better than the student of both sensors, and the package has no command for it.
#
# These commands compare four networks on your arrays `rgb.npy`, `depth.npy` and `masks.npy` (255 where nobody drew): one network alone, one twice as large, the student of its own sensor (`dense-self`) and the student of both (`dense-kdv2`).
#
# ```bash
# discom data prepare arrays --root my_arrays --out data/mine
# discom table dense --data data/mine --methods single,single-2x,dense-self,dense-kdv2 --seeds 10
# ```
#
# The matched control of this page needs a second folder, with `masks.npy`, `rgb.npy` and a copy of it, `rgb_again.npy`. There the teacher of `dense-kdv2` reads colour twice:
#
# ```bash
# discom data prepare arrays --root my_colour_twice --out data/colour_twice
# discom table dense --data data/colour_twice --methods dense-kdv2 --seeds 10
# ```
#
# **How many seeds, how many masks?** With differences that vary as those between the two students, an interval of three seeds reaches four points to each side, and one of ten seeds little more than one. The package draws 20 % of the pictures for the test, anew with each seed. With 30 masks only six are tested each time, so draw more if you can.
#
# [11](11_your_own_data_and_deployment.ipynb) goes on with your own folder, from checks to deployment.
#
# ## Exercises
#
# 1. **Warm-up.** Write `dice_loss(logits, masks)`, which the networks of patients had beside the cross-entropy: 1 minus the mean over classes of $2 \sum p y / (\sum p^2 + \sum y)$. Here $p$ are probabilities, $y$ is 1 at pixels of the class and 0 elsewhere, and the sums are over all pixels of the batch that somebody drew.
# 2. **Change one thing.** A drawing has four probabilities for each pixel. Write `hard(logits)`, which makes masks of them, [N, H, W]: the class, or 255 where its probability is below 90 %. Put the masks of `drawings["both sensors"]` into `masks[drawn:]`, which `label_loss` reads, and train a student by `alone_loss` after `torch.manual_seed(seed)`. Compare it with the student of both sensors.
# 3. **Open.** How many masks is the teacher of both sensors worth? Train *alone* with more of them: give `drawn` another number, make `masks` anew from `scenes.masks` as in the first cell, and set `masks[drawn:] = 255`. Enter masks → mIoU in `worth`, at least one run of *alone* below the student of both sensors and one above.
#
# ## Quiz
#
# 1. An IoU of ½ is a Dice of (a) ½, (b) ⅔, (c) 1.
# 2. A disk has stripes. The best answer of a colour network is (a) metal, (b) wood, (c) background.
# 3. Your student gains six points from a teacher of both sensors. Next you (a) give the teacher its own sensor twice, (b) train longer, (c) buy the second sensor.
#
# <details><summary>Answers</summary>
#
# 1. **b**: 2 IoU / (1 + IoU). Not *a*: they agree at 0 and 1 alone. Not *c*: a Dice of 1 has every pixel right.
# 2. **b**: seven in ten wooden objects have stripes, and three in ten of metal. Not *a*: only depth could tell that this one deceives. Not *c*: its outline is plain.
# 3. **a**: any teacher that draws the missing masks may bring these six points. Neither *b* nor *c* tells whose gain it is.
#
# </details>
#
# **References.** [Ronneberger et al.](https://arxiv.org/abs/1505.04597), 2015 (U-Net). [Hazirbas et al.](https://doi.org/10.1007/978-3-319-54181-5_14), 2016 (maps that are added). [Zhao et al.](https://arxiv.org/abs/1612.01105), 2017 (heads that only train). [Hinton et al.](https://arxiv.org/abs/1503.02531), 2015 (soft labels). [Ferrod et al.](https://arxiv.org/abs/2505.24361), 2025 (CroDiNo-KD). [Buda et al.](https://doi.org/10.1016/j.compbiomed.2019.05.002), 2019 (the patients).


# %%
def dice_loss(logits, masks): ...


def hard(logits): ...


exercises.check(dice_loss, hard, worth={}, goal=points["student of both sensors"])
finish(**points)
