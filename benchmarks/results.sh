#!/bin/sh
# Makes every table of results/ on scenes and on real images, the most important first. Hours on two
# cores: results/README.md has them. A finished run is read, so the same command goes on.
# Real images are prepared before: see data/README.md.
set -e
PYTHON=${PYTHON:-.venv/bin/python}
RUNS=${RUNS:-runs}
OUT=${OUT:-results}
DATA=${DATA:-data}
MAIN=teacher,student,student-2x,kdv2,discom-solo,discom,mdico

choose() { name=$1; shift; $PYTHON benchmarks/choose.py --runs "$RUNS" --out "$OUT/$name.json" "$@"; }
table() {
  name=$1; shift
  $PYTHON -m discom table "$@" --runs "$RUNS" --collect "$OUT/$name.json" --out "$OUT/$name"
}

# on the validation part of a seed that no table has
choose choices/weight-decay --option weight_decay --values 0 0.1 0.3 1 2 --methods student
choose choices/epochs --option epochs --values 20 30 60 --methods student
choose choices/batch-size --option batch_size --values 64 128 256 --methods student
choose choices/width --option width --values 16 32 --methods student
choose choices/learning-rate --methods teacher student student-2x kdv1 kdv2 dkd ctkd mlkd kdv1+lskd \
  kdv2+lskd dkd+lskd ctkd+lskd mlkd+lskd discom-solo discom 'discom:{"adversary": "alternating"}' mdico
SOME="teacher student student-2x kdv2 discom-solo discom mdico"
for set in hls:hls-rgb-elevation cellcycle:cellcycle-brightfield-stain; do
  choose "choices/${set%%:*}-learning-rate" --data "$DATA/${set#*:}" --values 0.001 0.003 0.01 \
    --methods $SOME 'discom:{"adversary": "alternating"}'
done
choose choices/temperature --option temperature --values 0.5 1 2 4 \
  --methods kdv1+lskd kdv2+lskd dkd+lskd mlkd+lskd

table scenes-table2 2
table cellcycle-stain-table2 2 --data "$DATA/cellcycle-brightfield-stain" --learning-rate 0.003 \
  --methods $MAIN
table hls-table2 2 --data "$DATA/hls-rgb-elevation" --learning-rate 0.003 --methods $MAIN
table scenes-table3 3
$PYTHON benchmarks/grid.py --factors '{"epochs": [5, 10, 20, 40, 80]}' --runs "$RUNS" \
  --methods student student-2x discom-solo discom --against student discom-solo --seeds 5 \
  --collect "$OUT/scenes-budget.json" --out "$OUT/scenes-budget"
table scenes-table1 1
table scenes-table5 5
table scenes-table4 4
table cellcycle-darkfield-table2 2 --data "$DATA/cellcycle-brightfield-darkfield" \
  --learning-rate 0.003 --methods $MAIN
table cellcycle-table2 2 --data "$DATA/cellcycle" --learning-rate 0.003 \
  --methods teacher,student,student-2x,discom-solo,discom
table scenes-thermal-table2 2 --data scenes:modalities=rgb+depth+thermal --seeds 5 \
  --methods student,discom-solo,discom
$PYTHON -m discom probe "$OUT/scenes-table5.json" --runs "$RUNS" --out "$OUT/scenes-probes"
table hls-random-table2 2 --data "$DATA/hls-rgb-elevation-random" --learning-rate 0.003 \
  --methods student,discom

# is it the learning rate? Few epochs at lower rates, and what z_inv holds at half the rate
$PYTHON benchmarks/grid.py --factors '{"learning_rate": [0.003, 0.005], "epochs": [10]}' \
  --methods student student-2x discom-solo discom --against student discom-solo --seeds 5 \
  --runs "$RUNS" --collect "$OUT/scenes-budget-rates.json" --out "$OUT/scenes-budget-rates"
ALTERNATING='discom:{"adversary": "alternating"'
$PYTHON benchmarks/grid.py --factors '{"learning_rate": [0.005]}' --seeds 3 --runs "$RUNS" \
  --methods discom "$ALTERNATING}" "$ALTERNATING, \"weights\": {\"orth\": 0}}" \
  "$ALTERNATING, \"dimension\": 32, \"weights\": {\"orth\": 0}}" mdico \
  --collect "$OUT/scenes-half-rate.json" --out "$OUT/scenes-half-rate"
$PYTHON -m discom probe "$OUT/scenes-half-rate.json" --runs "$RUNS" --out "$OUT/scenes-half-rate-probes"

# labels for a part of the pairs; few labels take longer to learn, so twice the epochs on scenes
few() { # name, factors, then what grid.py takes
  name=$1; factors=$2; shift 2
  $PYTHON benchmarks/grid.py --runs "$RUNS" --factors "$factors" --seeds 5 --out "$OUT/few-labels/$name" \
    --collect "$OUT/few-labels/$name.json" "$@"
}
SIMCLR='simclr:{"share":{"depth":0.1}}' # the control without the other sensor
OWN="simclr depth=0.1"
ALL_IMAGES='"+ all images of this sensor (SimCLR)"'
ALL_PAIRS='"+ all pairs with the other sensor (NT-Xent)"'
NAMES="{\"student\": \"labels alone\", \"$OWN\": $ALL_IMAGES, \"simclr\": $ALL_IMAGES,
  \"simclr contrast=1\": $ALL_IMAGES, \"nt-xent\": $ALL_PAIRS, \"nt-xent contrast=3\": $ALL_PAIRS,
  \"kdv2\": \"+ a teacher of both sensors (KD)\"}"
try() { name=$1; option=$2; shift 2; choose "choices/few-labels/$name" --option "$option" "$@"; }
SCENES="--seeds 100 101 --set labelled=0.2"
try scenes-simclr contrast $SCENES --values 0.1 0.3 1 --methods $SIMCLR
try scenes-nt-xent contrast $SCENES --values 0.3 1 3 --methods nt-xent
try scenes-mdico contrast $SCENES --values 0.03 0.1 0.3 1 --methods mdico
few scenes-labelled '{"labelled": [0.05, 0.1, 0.2, 0.4, 1]}' --set epochs=60 --names "$NAMES" \
  --methods student $SIMCLR nt-xent kdv2 --against student "$OWN" \
  --title "With 5 to 40 % labels pairs raise depth; RGB gains mostly from its own images"
few scenes-labelled-ten '{"labelled": [0.1, 0.2]}' --set epochs=60 --names "$NAMES" --seeds 10 \
  --methods student $SIMCLR nt-xent --against student "$OWN"
few scenes-others '{"labelled": [0.2]}' --set epochs=60 --names "$NAMES" \
  --methods student student-2x $SIMCLR nt-xent discom 'mdico:{"weights":{"contrast":0.1}}' \
  --against student "$OWN" nt-xent
few scenes-noise '{"noise": [0.25, 3]}' --seeds 3 --set epochs=60 labelled=0.2 \
  --names "$NAMES" --methods student $SIMCLR nt-xent --against student "$OWN" \
  --title "Pairs help RGB more where depth is clear (400 labels, 3 seeds)"
$PYTHON benchmarks/along.py --methods student $SIMCLR nt-xent 'mdico:{"weights":{"contrast":0.1}}' \
  --set labelled=0.2 epochs=60 --out "$OUT/few-labels/scenes-along"
CELLS="--data $DATA/cellcycle-brightfield-stain"
for tried in cellcycle-brightfield-stain:0.084:3 hls-rgb-elevation:0.1:0.03; do # data:share:weight
  set=${tried%%:*}; share=${tried%:*}
  real="--data $DATA/$set --set labelled=${share#*:} learning_rate=0.003"
  try $set-epochs epochs $real --values 30 60 120 --methods student
  try $set-contrast contrast $real --values 0.1 0.3 1 ${tried##*:} --methods simclr nt-xent
done
few cellcycle-stain '{"labelled": [0.021, 0.042, 0.084, 0.167]}' $CELLS --set learning_rate=0.003 \
  --methods student simclr 'nt-xent:{"weights":{"contrast":3}}' --against student simclr \
  --names "$NAMES" --title "Cells: NT-Xent beats labels alone in brightfield, not in the stain"
try cellcycle-brightfield-stain-mdico contrast $CELLS --set labelled=0.084 learning_rate=0.003 \
  --values 0.1 0.3 1 3 --methods mdico
few cellcycle-stain-kd '{"labelled": [0.042, 0.084]}' $CELLS --set learning_rate=0.003 \
  --methods student simclr 'nt-xent:{"weights":{"contrast":3}}' kdv2 \
  --against student simclr "nt-xent contrast=3" --names "$NAMES"
few cellcycle-darkfield '{"labelled": [0.084]}' --data $DATA/cellcycle-brightfield-darkfield \
  --set learning_rate=0.003 --methods student simclr 'nt-xent:{"weights":{"contrast":3}}' \
  --against student simclr --names "$NAMES"
few hls-elevation '{"labelled": [0.05, 0.1, 0.2]}' --data "$DATA/hls-rgb-elevation" \
  --set learning_rate=0.003 --methods student 'simclr:{"weights":{"contrast":1}}' nt-xent \
  --against student "simclr contrast=1" --names "$NAMES" \
  --title "Land cover: nothing decided with five splits by place"

# a class for every pixel: masks for a part of the images, 1 500 steps each; parts
pick() { name=$1; option=$2; shift 2; choose "choices/dense/$name" --option "$option" "$@"; }
FIFTH="--data scenes-dense --seeds 100 101 102 --set labelled=0.2 epochs=13"
TILES="--data $DATA/hls-dense"
pick learning-rate learning_rate $FIFTH --values 0.005 0.01 0.02 \
  --methods single dense-simclr dense-self dense-kdv2 crodino
pick contrast contrast $FIFTH --values 0.02 0.1 --methods dense-simclr crodino
pick soft soft $FIFTH --values 0.3 1 --methods crodino
pick temperature temperature $FIFTH --values 1 4 --methods dense-kdv2
pick protokd kd $FIFTH --values 10 100 --methods protokd
pick hls-batch-size batch_size $TILES --values 8 32 --methods single \
  --set labelled=0.3 epochs=10 learning_rate=0.001
pick hls-learning-rate learning_rate $TILES --values 0.001 0.003 0.01 --methods single \
  --set labelled=0.3 epochs=10 batch_size=32
dense() { # name, the rest for grid.py
  name=$1; shift
  $PYTHON benchmarks/grid.py --runs "$RUNS" --collect "$OUT/dense/$name.json" \
    --out "$OUT/dense/$name" "$@"
}
DENSE_NAMES='{"single": "masks alone", "dense-simclr": "+ all images of this sensor (SimCLR)",
  "dense-self": "+ a teacher of this sensor", "dense-kdv2": "+ a teacher of both sensors",
  "crodino": "+ our CroDiNo-KD"}' # of the curves; the tables have all
dense scenes-labelled --data scenes-dense --factors '{"labelled": [0.05, 0.1, 0.2, 0.5, 1]}' \
  --epochs '{"0.05": 11, "0.1": 11, "0.2": 13, "0.5": 20}' --seeds 10 \
  --methods dense-teacher single single-2x dense-simclr dense-self dense-kdv2 protokd crodino \
  --against single dense-self --names "$DENSE_NAMES" \
  --title "A teacher of both sensors helps RGB where masks are few"
dense scenes-batch --data scenes-dense --factors '{"labelled": [0.05, 0.1, 0.2, 0.5]}' \
  --epochs '{"0.05": 22, "0.1": 22, "0.2": 26, "0.5": 40}' --seeds 10 --methods single \
  --set batch_size=16 # as many steps, twice the masks a step
dense scenes-distillation --data scenes-dense --factors '{"labelled": [0.05, 1]}' \
  --epochs '{"0.05": 11}' --seeds 5 --methods single kdnet maskd \
  --title "With few masks students of a teacher of both sensors gain in RGB"
dense hls-labelled $TILES --factors '{"labelled": [0.1, 0.3, 1]}' --seeds 5 \
  --epochs '{"0.1": 16, "0.3": 20, "1": 28}' --set batch_size=32 learning_rate=0.003 \
  --methods dense-teacher single dense-self dense-kdv2 crodino --against single dense-self \
  --names "$DENSE_NAMES" --title "Real tiles: nothing is decided with five splits"
table dense/scenes-table-crodino crodino --data scenes-dense --labelled 0.05 --epochs 11 --seeds 5
$PYTHON benchmarks/cost.py --data scenes-dense --methods dense-kdv2 single crodino \
  --epochs 10 --rounds 4 --json "$OUT/dense/time.json" # alone on the machine
$PYTHON benchmarks/cost.py --data scenes-dense --methods crodino 'crodino:{"weights":{"soft":0}}' \
  'crodino:{"weights":{"soft":0,"aux":0}}' 'crodino:{"weights":{"contrast":0}}' \
  'crodino:{"weights":{"orth":0}}' \
  'crodino:{"weights":{"soft":0,"aux":0,"contrast":0,"orth":0}}' single \
  --epochs 4 --rounds 4 --json "$OUT/dense/time-parts.json" # alone on the machine
