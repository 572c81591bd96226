#!/bin/sh
# Trains every run of results/ on scenes and on real images, the most important first, then writes
# tables and pages. Hours on two cores: results/README.md has them. A finished run is read, from RUNS
# or from OUT, so the same command goes on; OUT=build/again trains all again. Real images are
# prepared before: see data/README.md.
set -e
PYTHON=${PYTHON:-.venv/bin/python}
RUNS=${RUNS:-runs}
OUT=${OUT:-results}
DATA=${DATA:-data}

choose() { # name, option, then what `grid.py choose` takes
  name=$1; option=$2; shift 2
  $PYTHON benchmarks/grid.py choose --runs "$RUNS" --out "$OUT/choices/$name.json" --option "$option" "$@"
}
table() {
  name=$1; shift
  $PYTHON -m discom table "$@" --runs "$RUNS" --collect "$OUT/$name.json"
}
grid() { # name, then what `grid.py compare` takes
  name=$1; shift
  $PYTHON benchmarks/grid.py compare --runs "$RUNS" --collect "$OUT/$name.json" "$@"
}
shares() { # name, "share of the labels:epochs …", then what `grid.py compare` takes
  name=$1; shares=$2; shift 2
  for share in $shares; do
    grid "$name" --labelled "${share%%:*}" --epochs "${share#*:}" "$@"
  done
}
measure() { $PYTHON benchmarks/measure.py "$@"; }

# 200 of 2 000 labels on objects: each choice at those before it, on validation of seeds 100 and 101,
# then the table.
FEW="--data objects --precision 32-true --select last"
tune() { name=$1; option=$2; shift 2
  choose "labels/$name" "$option" --seeds 100,101 $FEW $LABELS "$@"; }
LABELS="--labelled 0.1"
AGREED='agreed:{"threshold":0.8}'
NTXENT='nt-xent:{"weights":{"contrast":3}}'
FAST='"learning_rate":0.02'
tune contrast contrast --values 0.3,1,3,10 nt-xent "$AGREED"
tune strong strong --values 0,1 "$AGREED"
tune threshold-first threshold --values 0.5,0.8,0.95 fixmatch agreed
tune learning-rate learning_rate --values 0.005,0.01,0.02 \
  student fixmatch "$NTXENT" 'agreed:{"threshold":0.5}'
tune learning-rate-higher learning_rate --values 0.005,0.01,0.02,0.04 student fixmatch
tune threshold threshold --values 0.3,0.5,0.8 "fixmatch:{$FAST}" agreed
for tried in 0.2:400 0.4:800 0.6:1200; do # share of the labels:their number
  choose "labels/learning-rate-${tried#*:}" learning_rate --seeds 100,101 $FEW \
    --labelled "${tried%%:*}" --values 0.005,0.01,0.02 student
done
tune teacher learning_rate --values 0.005,0.01,0.02,0.04 teacher
tune contrast-one-sensor contrast --values 0.1,0.3,1,3 simclr
tune learning-rate-one-sensor learning_rate --values 0.005,0.01,0.02 \
  'simclr:{"weights":{"contrast":1}}'
shares labels 0.1:30 $FEW "student:{$FAST}" "fixmatch:{$FAST}" agreed \
  'nt-xent:{"partners":"shuffled","weights":{"contrast":3}}'
shares labels "0.2:35 0.4:41 0.6:41" $FEW student # equal steps
shares labels 0.1:30 $FEW "student:{$FAST}" "$NTXENT" 'agreed:{"weights":{"contrast":0}}' 'agreed:{"strong":false}'
shares labels 0.1:30 $FEW "teacher:{$FAST}" 'simclr:{"weights":{"contrast":1}}'
OWN='fixmatch-simclr:{"threshold":0.5' # one sensor's pseudo-labels and contrast
tune contrast-own-pseudo contrast --values 0.1,0.3,1,3 "$OWN}"
tune learning-rate-own-pseudo learning_rate --values 0.005,0.01,0.02 "$OWN,\"weights\":{\"contrast\":0.1}}"
shares labels-controls 0.1:30 --seeds 10 $FEW "$OWN,$FAST,\"weights\":{\"contrast\":0.1}}"
shares labels-controls 0.1:30 --seeds 10 $FEW --modalities rgb "$OWN,\"weights\":{\"contrast\":0.3}}"
shares labels-controls 0.1:30 --seeds 5 $FEW --modalities rgb+rgb_twin agreed
LABELS="--labelled 0.05 --epochs 29" # as many steps; the last word counts
tune learning-rate-100-pairs learning_rate --values 0.005,0.01,0.02 student fixmatch "$NTXENT" agreed
tune learning-rate-100-higher learning_rate --values 0.01,0.02,0.04 student fixmatch "$NTXENT" agreed
LABELS="--labelled 0.2 --epochs 35"
tune learning-rate-400-pairs learning_rate --values 0.005,0.01,0.02 agreed fixmatch "$NTXENT"
tune learning-rate-400-lower learning_rate --values 0.0025,0.005,0.01 agreed "$NTXENT"
LABELS="--labelled 0.4 --epochs 41"
tune learning-rate-800-pairs learning_rate --values 0.0025,0.005,0.01 agreed fixmatch
tune learning-rate-800-nt-xent learning_rate --values 0.0025,0.005,0.01 "$NTXENT"
shares labels-more 0.05:29 --seeds 3 $FEW 'student:{"learning_rate":0.04}' 'fixmatch:{"learning_rate":0.04}' \
  "nt-xent:{$FAST,\"weights\":{\"contrast\":3}}" "agreed:{$FAST}"
LABELS="--labelled 0.1"
OTHERS="discom mdico kdv2 student-2x"
tune learning-rate-200-others learning_rate --values 0.005,0.01,0.02 $OTHERS
tune learning-rate-200-others-higher learning_rate --values 0.01,0.02,0.04 $OTHERS
shares labels-others 0.1:30 --seeds 10 $FEW --learning-rate 0.02 student $OTHERS
SLOW='"learning_rate":0.005'
shares labels-more 0.2:35 --seeds 10 $FEW student fixmatch "agreed:{$SLOW}"
shares labels-more 0.4:41 --seeds 10 $FEW student "fixmatch:{$SLOW}" "agreed:{$SLOW}"
shares labels-more "0.2:35 0.4:41" --seeds 3 $FEW "nt-xent:{$SLOW,\"weights\":{\"contrast\":3}}"

# every label on objects: a learning rate for each method, then the table
ALL="--data objects --precision 32-true --select last"
MANY="student teacher discom-solo discom discom:{\"pairing\":\"paired\"} kdv2 student-2x mdico decur"
choose all-labels/learning-rate learning_rate --seeds 100,101 $ALL --values 0.003,0.01,0.03 $MANY
grid all-labels --seeds 10 $ALL $MANY
TAUGHT="kdv1 dkd ctkd mlkd kdv1+lskd kdv2+lskd dkd+lskd ctkd+lskd mlkd+lskd"
choose all-labels/learning-rate-kd learning_rate --seeds 100,101 $ALL --values 0.003,0.01,0.03 $TAUGHT
grid all-labels-kd --seeds 3 $ALL student kdv2 discom-solo $TAUGHT
grid taught-by-rgb --seeds 3 $ALL student 'kdv2:{"teacher":"rgb"}' # as Table 1 of DisCoM-KD
measure read kinds "$OUT/all-labels.csv" --runs "$RUNS" \
  student teacher discom-solo discom 'discom pairing=paired' kdv2 student-2x mdico decur
OFF='discom:{"weights":{"mod":0' # from a student to DisCoM-KD, one loss after another
grid ladder --epochs 20 --seeds 3 $ALL student "$OFF,\"adv\":0,\"aux\":0,\"orth\":0}}" \
  "$OFF,\"adv\":0,\"orth\":0}}" "$OFF,\"adv\":0}}" "$OFF}}" discom
for epochs in 5 10 20 40 80; do
  grid epochs --epochs $epochs --seeds 3 $ALL student discom-solo discom 'discom:{"pairing":"paired"}'
done
terms() { name=$1; shift; grid "$name" --seeds 5 $ALL "$@" discom \
  'discom:{"weights":{"aux":0}}' 'discom:{"weights":{"adv":0}}' 'discom:{"weights":{"mod":0}}' \
  'discom:{"weights":{"orth":0}}' 'discom:{"reduction":"released","modality_targets":"released"}' \
  'discom:{"adversary":"alternating"}'; }
terms terms --epochs 30
terms terms-ten --epochs 10
three() { grid three --data objects:modalities=rgb+depth+thermal --precision 32-true --select last --seeds 3 "$@"; }
three student discom
for pair in rgb+thermal depth+thermal; do three --modalities "$pair" discom; done
table parts-alone 4 --data objects --precision 32-true --select last --seeds 5
probe() { table=$1; shift; measure read parts "$OUT/$table.csv" --seeds 3 --runs "$RUNS" "$@"; }
probe all-labels student discom mdico decur
probe terms 'discom adversary=alternating'
probe labels student 'nt-xent contrast=3' agreed

# worn sensors, few labels, folds over persons: choices, then tables
LAST="--precision 32-true --select last"
WATCH="--data $DATA/watch --encoder conv1d --epochs 12 --batch-size 64 --weight-decay 0.01 $LAST"
worn() { name=$1; option=$2; shift 2; choose "$name" "$option" --seeds 100,101 "$@"; }
FIXMATCH='fixmatch:{"threshold":0.8}'
PRODUCT='agreed:{"threshold":0.8,"weights":{"contrast":0}}' # agreed labels, no contrast
SLOW='fixmatch:{"learning_rate":0.003}'
BARE='agreed:{"learning_rate":0.01,"weights":{"contrast":0}}'
FEW="$WATCH --labelled 0.0435"
worn watch/learning-rate learning_rate $FEW --values 0.003,0.01,0.03 student teacher "$FIXMATCH" "$PRODUCT"
worn watch/learning-rate-higher learning_rate $FEW --values 0.01,0.03,0.1 student
worn watch/learning-rate-lower learning_rate $FEW --values 0.001,0.003,0.01 "$FIXMATCH"
worn watch/threshold threshold $FEW --values 0.5,0.8,0.95 "$SLOW" "$BARE"
worn watch/threshold-higher threshold $FEW --values 0.8,0.95,0.99 "$SLOW" "$BARE"
grid watch $FEW --folds 5 --seeds 5 'student:{"learning_rate":0.03}' \
  'fixmatch:{"learning_rate":0.003,"threshold":0.95}' \
  'agreed:{"learning_rate":0.01,"threshold":0.95,"weights":{"contrast":0}}' \
  'teacher:{"learning_rate":0.01}'
worn watch/contrast contrast $FEW --values 0.3,1,3 'simclr:{"learning_rate":0.01}' \
  'nt-xent:{"learning_rate":0.01}' 'agreed:{"learning_rate":0.01,"threshold":0.95}'
ONCE='"weights":{"contrast":1}'
LITTLE='"weights":{"contrast":0.3}'
worn watch/learning-rate-contrast learning_rate $FEW --values 0.003,0.01,0.03 "simclr:{$LITTLE}" \
  "nt-xent:{$ONCE}" "agreed:{\"threshold\":0.95,$LITTLE}"
grid watch $FEW --folds 5 --seeds 5 "simclr:{\"learning_rate\":0.003,$LITTLE}" \
  "nt-xent:{\"learning_rate\":0.03,$ONCE}" \
  "nt-xent:{\"learning_rate\":0.03,\"partners\":\"shuffled\",$ONCE}" \
  "agreed:{\"learning_rate\":0.01,\"threshold\":0.95,$LITTLE}"
worn watch/contrast-lower contrast $FEW --values 0.1,0.3,1 'simclr:{"learning_rate":0.01}' \
  'agreed:{"learning_rate":0.01,"threshold":0.95}'
worn watch/learning-rate-contrast-lower learning_rate $FEW --values 0.001,0.003,0.01 "simclr:{$LITTLE}"
# every label: each network chooses its rate and its length on the validation of all folds
pooled() { name=$1; option=$2; shift 2; choose "$name" "$option" --seeds 100,101,102 "$@"; }
WATCH="--data $DATA/watch --encoder conv1d --batch-size 64 --weight-decay 0.01 $LAST --folds 5"
LONG="$WATCH --epochs 48"
ACC="$LONG --modalities acc --learning-rate 0.001"
GYRO="$WATCH --modalities gyro --learning-rate 0.003"
pooled watch/every-label-rate learning_rate $LONG --values 0.003,0.01,0.03 student teacher
pooled watch/every-label-rate-student learning_rate $LONG --values 0.001,0.003,0.01,0.03 student
pooled watch/every-label-length-acc epochs $ACC --values 48,96 student
pooled watch/every-label-length-gyro epochs $GYRO --values 48,96,192 student
pooled watch/every-label-length-both epochs $LONG --learning-rate 0.01 --values 48,96 teacher
pooled watch/few-rate-student learning_rate $LONG --labelled 0.0435 --values 0.001,0.003,0.01,0.03 student
grid watch $ACC --seeds 3 student
grid watch $GYRO --epochs 96 --seeds 3 student
grid watch $LONG --learning-rate 0.01 --seeds 3 teacher

# five body units, labels from one person or from all; a unit beside its copy is the twin
TWINS="$DATA/dsads-twins"
[ -d "$TWINS" ] || $PYTHON benchmarks/grid.py twins "$DATA/dsads"
BODY="--encoder spectrum --epochs 8 --batch-size 192 --weight-decay 0.1 $LAST"
ONE="--labelled 0.0233 --labelled-groups 1"
PAIRS="torso+rarm torso+larm torso+rleg torso+lleg rarm+larm rarm+rleg rarm+lleg larm+rleg larm+lleg rleg+lleg"
COPIES="torso+torso_twin rarm+rarm_twin larm+larm_twin rleg+rleg_twin lleg+lleg_twin"
worn dsads/learning-rate learning_rate --data "$TWINS" --modalities rarm+torso $BODY $ONE \
  --values 0.003,0.01,0.03 student "$FIXMATCH" "$PRODUCT"
worn dsads/learning-rate-all-persons learning_rate --data "$TWINS" --modalities rarm+torso $BODY \
  --labelled 0.0233 --values 0.003,0.01,0.03,0.1 student "$FIXMATCH" "$PRODUCT"
worn dsads/learning-rate-all learning_rate --data "$TWINS" --modalities rarm+torso $BODY \
  --values 0.01,0.03,0.1 student teacher discom discom-solo kdv2
worn dsads/learning-rate-all-higher learning_rate --data "$TWINS" --modalities rarm+torso $BODY \
  --values 0.03,0.1,0.3 student teacher kdv2
BODY="$BODY --folds 4"
every() { grid dsads-all --data "$TWINS" $BODY --seeds 3 --modalities "$@"; }
every torso+rarm+larm+rleg+lleg 'student:{"learning_rate":0.1}' 'discom-solo:{"learning_rate":0.03}'
for pair in torso+rarm rarm+rleg torso+lleg; do
  every "$pair" 'discom:{"learning_rate":0.03}' 'kdv2:{"learning_rate":0.1}' 'teacher:{"learning_rate":0.1}'
done
BODY="$BODY --learning-rate 0.03"
grid dsads --data "$TWINS" --modalities torso+rarm+larm+rleg+lleg $BODY $ONE --seeds 5 student "$FIXMATCH"
for pair in $PAIRS $COPIES; do
  grid dsads --data "$TWINS" --modalities "$pair" $BODY $ONE --seeds 5 "$PRODUCT"
done
for pair in $PAIRS; do
  grid dsads --data "$TWINS" --modalities "$pair" $BODY $ONE --seeds 1 teacher
done
SPREAD="--data $TWINS $BODY --labelled 0.0233 --seeds 5" # over all persons
grid dsads-spread $SPREAD --modalities torso+rarm+larm+rleg+lleg student \
  'fixmatch:{"learning_rate":0.01,"threshold":0.8}'
for pair in $PAIRS $COPIES; do
  grid dsads-spread $SPREAD --modalities "$pair" "$PRODUCT"
done
BELT="--data $DATA/sisfall $BODY --labelled 0.05"
grid sisfall $BELT --modalities acc+gyro --seeds 3 student "$FIXMATCH" "$PRODUCT"
grid sisfall $BELT --modalities acc+acc2 --seeds 3 "$PRODUCT"
grid sisfall $BELT --modalities acc+gyro --seeds 1 teacher

# MRI, tumour per pixel, folds over patients: learning rates of one split, then masks of all patients
# and of seven; every second slice, see data/README.md
BRAIN="--data $DATA/lgg --batch-size 16 --dice 1 $LAST"
EIGHT="--epochs 8"
SEQUENCES="--modalities t1+flair"
choose mri/learning-rate learning_rate $BRAIN $EIGHT $SEQUENCES --values 0.001,0.003,0.01 \
  single dense-teacher dense-kdv2
choose mri/learning-rate-crodino learning_rate $BRAIN $EIGHT $SEQUENCES --values 0.001,0.003,0.01 crodino
mri() { name=$1; shift; grid "$name" $BRAIN --learning-rate 0.003 --folds 4 --seeds 1 "$@"; }
mri mri $EIGHT $SEQUENCES single dense-teacher dense-kdv2 crodino
mri mri $SEQUENCES --labelled-groups 7 --epochs 4 single dense-teacher dense-kdv2 crodino dense-self
mri mri-contrast $EIGHT --modalities flair+t1c single dense-teacher

# cells and land cover, 5 % of the labels and all, folds over places: a learning rate for each method
# and share of the labels, then the table
CELLS="--data $DATA/cellcycle-brightfield-stain --epochs 30 $LAST"
FIVE="--labelled 0.05"
choose cells/learning-rate learning_rate $CELLS $FIVE --values 0.003,0.01,0.03 student fixmatch agreed
choose cells/learning-rate-teacher learning_rate $CELLS $FIVE --values 0.003,0.01,0.03 teacher
choose cells/learning-rate-higher learning_rate $CELLS $FIVE --values 0.01,0.03,0.1 student fixmatch
choose cells/learning-rate-teacher-higher learning_rate $CELLS $FIVE --values 0.01,0.03,0.1 teacher
choose cells/learning-rate-lower learning_rate $CELLS $FIVE --values 0.001,0.003,0.01 agreed
choose cells/learning-rate-all learning_rate $CELLS --values 0.003,0.01,0.03 student teacher
choose cells/learning-rate-all-lower learning_rate $CELLS --values 0.001,0.003,0.01 student teacher
grid cells $CELLS $FIVE --folds 3 --seeds 3 'student:{"learning_rate":0.03}' \
  'fixmatch:{"learning_rate":0.03}' 'agreed:{"learning_rate":0.003}' 'teacher:{"learning_rate":0.03}'
grid cells $CELLS --learning-rate 0.003 --folds 3 --seeds 1 student teacher

TILES="--data $DATA/hls-rgb-elevation --epochs 30 $LAST"
choose hls/learning-rate learning_rate $TILES $FIVE --values 0.003,0.01,0.03 student fixmatch agreed teacher
choose hls/learning-rate-lower learning_rate $TILES $FIVE --values 0.001,0.003,0.01 student fixmatch
choose hls/learning-rate-all learning_rate $TILES --values 0.003,0.01,0.03 student teacher
choose hls/learning-rate-all-higher learning_rate $TILES --values 0.01,0.03,0.1 student teacher
HLS="--data $DATA/hls-rgb-elevation $LAST --folds 3"
pooled hls/every-label-rate-student learning_rate $HLS --epochs 30 --values 0.001,0.003,0.01 student
pooled hls/every-label-rate-both learning_rate $HLS --epochs 30 --values 0.003,0.01,0.03 teacher
pooled hls/every-label-rate-rgb-higher learning_rate $HLS --epochs 30 --modalities rgb --values 0.01,0.03 student
RGB="$HLS --modalities rgb --learning-rate 0.01"
ELEVATION="$HLS --modalities elevation --learning-rate 0.003"
pooled hls/every-label-length-rgb epochs $RGB --values 30,60,120 student
pooled hls/every-label-length-elevation epochs $ELEVATION --values 30,60 student
pooled hls/every-label-length-both epochs $HLS --learning-rate 0.01 --values 30,60 teacher
grid hls $TILES $FIVE --folds 3 --seeds 3 'student:{"learning_rate":0.003}' \
  'fixmatch:{"learning_rate":0.001}' 'agreed:{"learning_rate":0.01}' 'teacher:{"learning_rate":0.01}'
grid hls $RGB --epochs 60 --seeds 3 student
grid hls $ELEVATION --epochs 30 --seeds 3 student
grid hls $HLS --learning-rate 0.01 --epochs 30 --seeds 3 teacher

# land cover with pretrained encoders, fine-tuned at the rate of their profile
LARGE="$DATA/hls-rgb-elevation-doubled"
[ -d "$LARGE" ] || $PYTHON benchmarks/grid.py doubled "$DATA/hls-rgb-elevation"
TUNED="--data $LARGE --profile finetune --epochs 4 $LAST --folds 3 --seeds 1"
grid hls-pretrained $TUNED $FIVE --modalities rgb student fixmatch
grid hls-pretrained $TUNED $FIVE agreed teacher
grid hls-pretrained $TUNED --modalities rgb student
grid hls-pretrained $TUNED teacher

# a class for every pixel: masks for a part of the images, 1 500 steps each; parts
FIFTH="--data scenes-dense --seeds 100,101,102 --labelled 0.2 --epochs 13"
choose dense/learning-rate learning_rate $FIFTH --values 0.005,0.01,0.02 \
  single dense-simclr dense-self dense-kdv2 crodino
choose dense/contrast contrast $FIFTH --values 0.02,0.1 dense-simclr crodino
choose dense/soft soft $FIFTH --values 0.3,1 crodino
choose dense/temperature temperature $FIFTH --values 1,4 dense-kdv2
choose dense/protokd kd $FIFTH --values 10,100 protokd
shares dense/scenes-labelled "0.05:11 0.1:11 0.2:13 0.5:20 1:20" --data scenes-dense --seeds 10 \
  dense-teacher single single-2x dense-simclr dense-self dense-kdv2 protokd crodino
shares dense/scenes-batch "0.05:22 0.1:22 0.2:26 0.5:40" --data scenes-dense --seeds 10 single \
  --batch-size 16 # as many steps, twice the masks a step
shares dense/scenes-distillation "0.05:11 1:20" --data scenes-dense --seeds 5 single kdnet maskd
table dense/scenes-table-crodino crodino --data scenes-dense --labelled 0.05 --epochs 11 --seeds 5

if [ "$OUT" = results ]; then # what two sensors score together; tables of pages, the figure
  measure both results/watch.csv "$DATA/watch" --runs "$RUNS"
  measure both results/dsads-spread.csv "$TWINS" --runs "$RUNS"
  measure both results/dsads-all.csv "$TWINS" --runs "$RUNS"
  for set in cells:cellcycle-brightfield-stain hls:hls-rgb-elevation; do
    measure both "results/${set%%:*}.csv" "$DATA/${set#*:}" --runs "$RUNS"
  done
  $PYTHON benchmarks/pages.py --figure
fi

recorded() { # a notebook and the file that keeps what it measures, then the seeds
  notebook=$1; file=$2; shift 2
  for seed; do
    $PYTHON -m papermill --cwd notebooks -p seed "$seed" -p record "$(realpath -m "$OUT")/$file.csv" \
      "notebooks/$notebook.ipynb" "${TMPDIR:-/tmp}/$file-$seed.ipynb"
  done
}
recorded 01_data_preparation watch-splits 0 1 2 3 4
recorded 02_model_and_losses encoders 0 1 2
recorded 03_training noise 0 1 2 3 4 # DisCoM-KD beside colour images and beside noise
recorded 04_teacher_and_student teachers 0 1 2
recorded 10_segmentation segments 0 1 2 3 4 5 6 7 8 9 # nine networks each, 700 steps
recorded 11_your_own_data_and_deployment rooms 0 1 2 # steps and rate chosen on seed 100
