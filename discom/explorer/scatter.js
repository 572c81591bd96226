// Shows the picture that Python drew, with rings around the chosen points, lines between the points
// of one sample, and the lasso; tells Python which points were clicked, lassoed or stepped to.
const REACH = 12; // pixels that a click may be off

function inside([x, y], path) {
  let odd = false;
  for (let a = 0, b = path.length - 1; a < path.length; b = a++) {
    const [xa, ya] = path[a], [xb, yb] = path[b];
    if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) odd = !odd;
  }
  return odd;
}

function render({ model, el }) {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const picture = new Image();
  let path = [];
  canvas.tabIndex = 0;
  canvas.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys
  canvas.setAttribute("role", "img");
  canvas.style.cursor = "crosshair";
  el.classList.add("discom-scatter");
  el.append(canvas);

  function line(points, dashes = []) {
    pen.setLineDash(dashes);
    pen.beginPath();
    points.forEach((spot) => pen.lineTo(...spot));
    pen.stroke();
    pen.setLineDash([]);
  }

  function draw() {
    const places = model.get("places"), chosen = model.get("chosen");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.style.width = `${picture.width / 2}px`; // drawn in double size, for sharp screens
    canvas.setAttribute("aria-label", model.get("label"));
    pen.globalAlpha = chosen.length ? 0.6 : 1;
    pen.drawImage(picture, 0, 0);
    pen.globalAlpha = 1;
    pen.scale(2, 2);
    for (const [a, b] of model.get("links")) line([places[a], places[b]]);
    for (const [x, y] of chosen.map((k) => places[k])) {
      pen.beginPath();
      pen.arc(x, y, 6, 0, 2 * Math.PI);
      pen.stroke();
    }
    line(path, [4, 3]);
  }

  const choose = (points) => {
    path = [];
    model.set("chosen", points);
    model.save_changes();
    draw();
  };
  canvas.addEventListener("pointerdown", (event) => {
    path = [[event.offsetX, event.offsetY]];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!path.length) return;
    path.push([event.offsetX, event.offsetY]);
    draw();
  });
  canvas.addEventListener("pointerup", () => {
    const from = ([x, y]) => Math.hypot(x - path[0][0], y - path[0][1]);
    const far = model.get("places").map(from);
    const lasso = Math.max(...path.map(from)) > 4;
    const nearest = far.indexOf(Math.min(...far));
    const around = far.flatMap((_, k) => (inside(model.get("places")[k], path) ? [k] : []));
    choose(lasso ? around : far[nearest] <= REACH ? [nearest] : []);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const [first = step > 0 ? -1 : 0] = model.get("chosen"), count = model.get("places").length;
    choose([(first + step + count) % count]);
  });

  picture.onload = draw;
  model.on("change:picture", () => (picture.src = model.get("picture")));
  model.on("change:chosen change:links", draw);
  picture.src = model.get("picture");
}

export default { render };
