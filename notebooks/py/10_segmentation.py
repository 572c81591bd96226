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
# The teacher has two encoders. In one version the second encoder reads depth. In the other version, our control, it reads the colour picture once more. Everything else is equal.
#
# **Write down a guess.** The student never sees depth. How many points better is it if its teacher does?
#
# | At a glance | |
# |---|---|
# | You will | **write** a segmentation network, its teacher, and the losses of CroDiNo-KD · **find out** what a teacher cannot pass on · **decide** for your own two sensors |
# | You need | the soft labels of [04](04_teacher_and_student.ipynb) |
# | Time, memory | about five minutes on one free CPU core, 2 GB |
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
# The best possible network of colour scores 77, because it must take every deceiving object for the wrong material.
#
# ## A network that answers for every pixel
#
# A **U-Net** first makes ever coarser maps of a picture, and then returns to its full size. The first half is the **encoder**. Each place of its coarsest map reads a region as large as an object, each place of its finest map only an edge.


# %%
def unit(inside, outside, size=3):
    convolve = nn.Conv2d(inside, outside, size, padding=size // 2, bias=False)
    return nn.Sequential(convolve, nn.BatchNorm2d(outside), nn.ReLU())


class Encoder(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.fine = nn.Sequential(unit(4 * bands, 16), unit(16, 16))
        self.middle = nn.Sequential(unit(16, 32), unit(32, 32))
        self.coarse = nn.Sequential(unit(32, 64), unit(64, 64)[:-1])  # signed: no ReLU

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
package = package_network(3, 4)
branch = Branch(3)
weights = zip(branch.state_dict(), package.state_dict().values(), strict=True)
branch.load_state_dict(dict(weights))  # layer by layer, in the order of both
two = images["rgb"][:2].cpu()
fine, middle, coarse = branch.encoder(two)
logits = branch(two)
shapes = {"picture": two, "fine": fine, "middle": middle, "coarse": coarse}
shapes["logits"] = logits
for name, tensor in shapes.items():
    print(f"{name:8}", *tensor.shape)
check("the package's network gives your logits", torch.equal(logits, package(two)))

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
    schedule = OneCycleLR(optimizer, 0.01, steps + 1, cycle_momentum=False)
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
    parts = zip(*(x.split(100) for x in pictures), strict=True)
    return torch.cat([network(*part) for part in parts])


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
rows, motions = torch.tensor([0, 1, 2, -1]), torch.tensor([0, 3, 5, 6])
batch = {sensor: x[rows] for sensor, x in images.items()}
teacher = Teacher(1).to(device)
your_loss = teacher_loss(teacher, rows, motions)
package = segments.in_package("dense-teacher", teacher, device)
same_motions = {"rgb": motions, "depth": motions}
package_loss = segments.package_loss(package, batch, masks[rows], same_motions)
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
# On new pictures the teacher of both sensors scores 84, the teacher that reads colour twice 58, and *alone* 56. The drawings show the difference: the teacher of both sensors has straighter outlines, and names the outlined objects.
#
# ## The student learns from drawings
#
# Half of the student's loss is the cross-entropy with the 30 masks. The other half compares its probabilities $p^s$ with the teacher's $p^t$ at every pixel of every picture, which is the *soft label* of [04](04_teacher_and_student.ipynb):
#
# $$ L_{soft} = T^2 \sum_c p^t_c \, \log \frac{p^t_c}{p^s_c}, \qquad p_c = \mathrm{softmax}_c(z_c / T) $$
#
# Take two pixels and two classes. The student gives both classes ½ at both pixels. The teacher is sure of the first pixel, which costs log 2, and gives ½ at the second, which costs nothing. The mean is 0.3466.


# %%
def soft_loss(logits, teacher, T=1.0):
    log_t = (teacher / T).log_softmax(1)
    log_s = (logits / T).log_softmax(1)
    return T**2 * (log_t.exp() * (log_t - log_s)).sum(1).mean()


unsure = torch.zeros(1, 2, 1, 2)  # [B, classes, H, W]
sure_of_one = torch.tensor([[[[99.0, 0.0]], [[0.0, 0.0]]]])
print(f"{soft_loss(unsure, sure_of_one).item():.4f}")
student, teacher = torch.randn(2, 3, 4, 8, 8)
difference = soft_loss(student, teacher, 4.0) - dense.pixel_wise(student, teacher, 4.0)
check("the package's soft labels cost the same", abs(difference) < 1e-4)


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
# Both students started from the same weights and saw the same pictures in the same order. Their teachers have the same size and the same loss, and differ in what the second encoder read. One seed decides nothing, so nine stored runs of these cells stand beside it.

# %% alt="A line for each of ten seeds, mIoU of three networks of colour. From alone to the student of colour twice all ten lines rise, on average by 5.3 points. From there to the student of both sensors six rise, and the mean difference is 1.0 point with an interval from minus 0.2 to 2.1."
scores = segments.beside(pd.DataFrame({"mIoU": points}), seed, steps)
title = "A teacher helps; whether it must see depth stays open"
figure = segments.plot_students(scores, title)

# %% [markdown]
# **Take out your guess.** With this seed the student of both sensors is 1.9 points better than the student of colour twice. Over ten seeds it is 1.0 point, and the 95 % interval, −0.2 to 2.1, contains zero. Whether depth helps the student is open.
#
# What helps with every seed is a teacher. The student of colour twice lies 5.3 points [3.0, 7.6] above *alone*, and neither it nor its teacher ever saw depth. Without this control we would have compared the student of both sensors with *alone*, found more than six points, and thanked the depth camera for all of them.
#
# ## What a teacher cannot pass on
#
# Over ten seeds the teacher of both sensors scores 22.5 points more than its control. Why does so little of that arrive?
#
# An answer can be wrong in three ways. An *outline* error takes an object for background, or the reverse; we count it as a share of all pixels. The other two give an object a *wrong material*, one where its colour is true, one where its colour deceives. We count each as a share of the pixels of such objects.
#
# The teacher of both sensors makes fewer errors of all three kinds than its control. **Guess:** in which kind is its student *worse* than the student of colour twice?


# %%
def errors(answer):  # %, of one network's answers
    thing = test.masks > 0
    deceives = test.shown != test.masks
    outline = (answer > 0) != thing
    material = (answer != test.masks) & ~outline
    shares = {"outline": outline, "colour true": material[thing & ~deceives]}
    shares["colour deceives"] = material[deceives]
    return {kind: 100 * wrong.float().mean().item() for kind, wrong in shares.items()}


table = pd.DataFrame({name: errors(answers[name]) for name in answers}).T
segments.mean_errors(segments.beside(table, seed, steps))

# %% alt="Three scenes in rows: colour, the truth, the masks of the teacher of both sensors and of its student, with lines around deceiving objects. The teacher names nearly all of them right. The student names striped metal wood, and much of the checked wood metal."
title = "The teacher is right where colour deceives, its student is not"
most = (test.shown != test.masks).sum((1, 2)).topk(3).indices.tolist()
names = ("both sensors", "student of both sensors")
shown = {name: answers[name] for name in names}
figure = segments.show_answers(test, most, shown, title)

# %% [markdown]
# **Your guess:** it is worse where colour deceives. There the student of both sensors gives 66.2 % of the pixels a wrong material, the student of colour twice 62.5 %. Its outlines are better with each of the ten seeds. Where colour is true the seeds disagree.
#
# **A suspicion.** The photograph of a deceiving object shows stripes, which mean wood. The teacher sees the dome as well, and says metal. The teacher is right, but the student reads colour alone, and for it this is a striped object with a wrong label. It cannot tell which striped objects are meant, so it becomes unsure about all of them. Inside the checked square at the upper left of the picture it draws wood and metal side by side.
#
# **The test.** In scenes drawn here we know which objects deceive; in a real project nobody does. So we can leave their pixels out of the soft loss. If the suspicion is right, the student gets better where colour is true, and worse where it deceives.


# %%
def honest_loss(branch, rows, drawing):
    logits = look(branch, rows)
    honest = (scenes.shown == scenes.masks)[rows]  # colour shows the true material
    kept = torch.where(honest[:, None], drawing[rows], logits.detach())
    return (label_loss(logits, rows) + soft_loss(logits, kept)) / 2  # else costs 0


torch.manual_seed(seed)
student = fit(Branch(3), partial(honest_loss, drawing=drawings["both sensors"]))
judge("student of both without deceit", student, "rgb")

# %%
table = pd.DataFrame({name: errors(answers[name]) for name in answers}).T
segments.mean_errors(segments.beside(table, seed, steps))

# %% [markdown]
# Both happen. Where colour is true, errors fall from 24.6 to 19.2 %; where it deceives, they rise from 66.2 to 75.9 %. In mIoU this student is better with nine of the ten seeds, on average by 1.4 points [0.3, 2.6].
#
# **Because** no photograph tells which object deceives, the best possible colour network gets all of them wrong. What the student's own sensor does not show, no teacher can pass on, and trying costs the student something elsewhere.
#
# ## Without a teacher: CroDiNo-KD, as we rebuilt it
#
# [CroDiNo-KD](https://arxiv.org/abs/2505.24361) needs no teacher: a branch of each sensor and a third decoder learn together. **We had its abstract and README but not the paper, so what follows is [our reconstruction](../docs/results/crodino.md), and a low score may be our fault.**
#
# Half of the channels of each map are *invariant*, meant for what both sensors see. The other half is *specific*, meant for the rest. The third decoder reads the invariant half of one sensor and the specific half of the other. In every second picture of a batch the two sensors change places. Try it on two pictures whose maps have two channels and one place:


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
# The second, the **contrast**, brings the invariant halves of both sensors together. Each place of colour must find its partner, the same place in depth, among all places of the batch. Other places of its class are left out, because they may well look alike. If all four places look alike, finding the partner costs log 4; if each has a look of its own, it costs almost nothing.


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
alike, different = torch.ones(1, 4, 2, 2), torch.eye(4).view(1, 4, 2, 2)
nobody = torch.full((1, 2, 2), 255)  # four places without a class
print(f"{contrast(alike, alike, nobody).item():.4f}")  # log 4
print(f"{contrast(different, different, nobody).item():.4f}")
first, second = torch.randn(2, 8, 32, 8, 8)
classes = torch.randint(4, (8, 8, 8))
your_loss = contrast(first, second, classes)
package_loss = dense.pixel_info_nce(first, second, classes)
check("the package's contrast is yours", abs(your_loss - package_loss) < 1e-4)

# %% [markdown]
# In the whole loss, all three decoders learn the masks, and both branches learn what the third decoder answers, at every pixel. The two losses above are added. Each sensor is moved in its own way, so maps are moved back before they meet. The weights are our choice.


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
motions = {"rgb": torch.tensor([0, 3, 5, 6]), "depth": torch.tensor([7, 0, 2, 4])}
model = new_model().to(device)
your_loss = side_by_side(model, rows, motions)
package = segments.in_package("crodino", model, device)
package_loss = segments.package_loss(package, batch, masks[rows], motions)
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
table = pd.DataFrame({name: errors(answers[name]) for name in answers}).T
table.insert(0, "mIoU", points)
segments.above_control(segments.beside(table, seed, steps, record))

# %% [markdown]
# **Your guess:** with this seed the colour branch of our CroDiNo-KD ends between the two students. Over ten seeds its mean, 53.7, is below both. But its scores range from 40 to 60, so the order stays open.
#
# **Learning first and drawing later is better.** The student of the third decoder is above CroDiNo-KD's own branch with each of the ten seeds. So the third decoder holds more than that branch learned from it. The new student also does without decorrelation and contrast, and this test does not tell which change helped.
#
# The new student lies 2.4 points above the student of colour twice, and the interval just leaves zero out. Is that proof for depth? Hardly: the table has five intervals and none is corrected, and this teacher is built differently from the control.
#
# ## With a mask for every picture
#
# Teachers draw missing masks. What is left of their gain when none is missing? The package has trained such networks with 30 masks and with 600, more than twice as long, and kept the weights that were best on validation pictures ([all scores](../docs/results/segmentation.md)). There the teacher that never sees depth is *one colour network* like *alone*.

# %% alt="Points of mIoU above alone, ten seeds a row, in two panels. With 30 masks: alone but twice as large 3.1, student of one colour network 2.1, student of both sensors 6.6, our CroDiNo-KD 3.5. With all 600 masks: 0.2, 0.1, minus 0.3 and minus 2.5."
title = "What 30 masks gain from a teacher is gone with all 600"
figure = segments.plot_gains(segments.stored_gains(), title)

# %% [markdown]
# Nothing is left, **because** a drawing adds nothing where a mask by hand already names every pixel.
#
# With 30 masks the student of both sensors lies 4.5 points above the student of one colour network here. That is no proof for depth: its teacher has two encoders and rough heads, and the other teacher has neither. On this page, where both teachers are built alike, 1.0 point is left. Our CroDiNo-KD loses 2.5 points with all masks; we do not know which of its losses costs them.
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
# Another sensor helps more than any teacher: FLAIR alone reaches 62, and 44 with masks of seven patients.
#
# ## Your own two sensors
#
# The [table of advice](../docs/guides/second_sensor.md#what-to-do) says in points how far each recipe lies above the best network that never saw the other sensor. Here are its two lines for masks; of the second we keep what was measured with masks:
#
# | situation | recommendation | gains | no gain |
# |---|---|---|---|
# | deploy one, few masks | a student of a teacher of both, `dense-kdv2`, if it gains on your data | scenes, RGB, masks for 5 % +3.5 [+1.7, +5.4] | scenes, depth, masks for 5 % +1.1 [+0.7, +1.6]<br>MRI, T1, 7 patients -0.8 [-2.8, +1.3] |
# | deploy one, a label for every pair | a plain network of this sensor | – | MRI, T1 -1.2 [-3.4, +0.9] |
#
# The first line compares with a network twice as large and with the student of one network of the same sensor. The control of this page, a teacher with two encoders for one sensor, was not among them; [what is known of the cause](../docs/results/segmentation.md#because) stands with the scores. So, if you deploy one of two sensors:
#
# 1. **Few masks?** Let a network draw the missing ones, and train on its drawings. A teacher of *your own* sensor is the first to try: it needs no second sensor, and brought most of the gain here.
# 2. **Then try a teacher of both,** on masks that you hold back, and keep it if it gains there. It can help with what your sensor shows, not with what it does not show.
# 3. **A mask for every picture?** Train a plain network.
# 4. **Can you still choose the sensor?** Choose the one that shows the classes. No training brought T1 near FLAIR.
#
# These commands train a network twice as large, the student of its own sensor and the student of both, with three seeds each, on your arrays `rgb.npy`, `depth.npy` and `masks.npy` (255 where nobody drew), and compare them:
#
# ```bash
# discom data prepare arrays --root my_arrays --out data/mine
# discom table dense --data data/mine --methods single-2x,dense-self,dense-kdv2 --seeds 3
# ```
#
# [11](11_your_own_data_and_deployment.ipynb) goes on with your own folder, from checks to deployment.
#
# ## Exercises
#
# 1. **Warm-up.** Write `dice_loss(logits, masks)`, which the networks of patients had beside the cross-entropy: 1 minus the mean over classes of $2 \sum p y / (\sum p^2 + \sum y)$. Here $p$ are probabilities, $y$ is 1 at pixels of the class and 0 elsewhere, and the sums are over all pixels of the batch that somebody drew.
# 2. **Change one thing.** A drawing has four probabilities for each pixel. Write `hard(logits)`, which makes masks of them, [N, H, W]: the class, or 255 where its probability is below 90 %. Train a student by `alone_loss` on the masks of `drawings["both sensors"]`.
# 3. **Open.** How many masks is the teacher of both sensors worth? Train *alone* with more of them (`masks`, `drawn`). Enter masks → mIoU in `worth`, at least one below the student of both sensors and one above.
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
