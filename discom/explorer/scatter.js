// Scatter plot of the explorer: draws what Python sends, and sends back which points were clicked or lassoed.

// The markers of discom.marks, in its order: corners on the unit circle, or as listed.
const ring = (corners, turn = 0, inner = 1) =>
  Array.from({ length: inner < 1 ? 2 * corners : corners }, (_, k) => {
    const angle = (2 * Math.PI * k) / (inner < 1 ? 2 * corners : corners) - Math.PI / 2 + turn;
    const r = inner < 1 && k % 2 ? inner : 1;
    return [r * Math.cos(angle), r * Math.sin(angle)];
  });
const plus = [[-1, -3], [1, -3], [1, -1], [3, -1], [3, 1], [1, 1], [1, 3], [-1, 3], [-1, 1], [-3, 1], [-3, -1], [-1, -1]]
  .map(([x, y]) => [x / 3, y / 3]);
const cross = plus.map(([x, y]) => [0.8 * (x - y), 0.8 * (x + y)]);
const SHAPES = [
  ring(24), ring(4, Math.PI / 4), ring(3), ring(4), ring(3, Math.PI), ring(5, 0, 0.45), plus, cross,
  ring(3, -Math.PI / 2), ring(3, Math.PI / 2),
];
const MARGIN = 14; // room for the outermost markers, in pixels
const REACH = 12; // how far from a point a click may be, in pixels

const floats = (view) => new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
const shorts = (view) => new Uint16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

function inside(x, y, path) {
  let odd = false;
  for (let a = 0, b = path.length - 1; a < path.length; b = a++) {
    const [xa, ya] = path[a], [xb, yb] = path[b];
    if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) odd = !odd;
  }
  return odd;
}

function render({ model, el }) {
  const size = model.get("size");
  const canvas = document.createElement("canvas");
  const key = document.createElement("div");
  const sharp = window.devicePixelRatio || 1;
  canvas.width = canvas.height = size * sharp;
  canvas.style.width = canvas.style.height = `${size}px`;
  canvas.tabIndex = 0;
  canvas.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys
  canvas.setAttribute("role", "img");
  el.classList.add("discom-scatter");
  el.append(canvas, key);
  const pen = canvas.getContext("2d");
  let path = [];
  let place = []; // [x, y] of each point, in pixels

  function layout() {
    const xy = floats(model.get("xy"));
    const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
    xy.forEach((value, k) => {
      low[k % 2] = Math.min(low[k % 2], value);
      high[k % 2] = Math.max(high[k % 2], value);
    });
    const at = (k, axis) => (xy[2 * k + axis] - low[axis]) / (high[axis] - low[axis] || 1);
    const room = size - 2 * MARGIN;
    place = Array.from({ length: xy.length / 2 }, (_, k) => [MARGIN + room * at(k, 0), MARGIN + room * (1 - at(k, 1))]);
  }

  // style: 0 filled, 1 outline only, 2 filled with a black outline
  function mark(target, [x, y], shape, colour, style, r) {
    target.beginPath();
    for (const [dx, dy] of SHAPES[shape]) target.lineTo(x + r * dx, y + r * dy);
    target.closePath();
    target.fillStyle = style === 1 ? "#ffffff00" : colour; // an outline lets the point below it be seen
    target.strokeStyle = ["#ffffff", colour, "#000000"][style];
    target.lineWidth = [0.5, 1.4, 1][style];
    target.fill();
    target.stroke();
  }

  function draw() {
    const code = shorts(model.get("code")), style = shorts(model.get("outline"));
    const { palette, shapes } = model.get("key");
    const chosen = model.get("chosen");
    const r = Math.max(3, Math.min(5, 80 / Math.sqrt(place.length)));
    const show = (k, scale) => mark(pen, place[k], shapes[code[k]], palette[code[k]], style[k], scale * r);
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, size, size);
    // in a mixed order: the group drawn last would hide the others
    const order = place.map((_, k) => k).sort((a, b) => ((a * 7919) % 1009) - ((b * 7919) % 1009));
    pen.globalAlpha = chosen.length ? 0.3 : 0.85;
    for (const k of order) show(k, 1);
    pen.globalAlpha = 1;
    pen.strokeStyle = "#555555";
    pen.lineWidth = 1;
    for (const [a, b] of model.get("links")) {
      pen.beginPath();
      pen.moveTo(...place[a]);
      pen.lineTo(...place[b]);
      pen.stroke();
    }
    const raised = new Set([...model.get("links").flat(), ...chosen]);
    for (const k of order) if (raised.has(k)) show(k, 1.2);
    pen.strokeStyle = "#000000";
    for (const k of chosen.length > 60 ? [] : chosen) {
      pen.beginPath();
      pen.arc(...place[k], r + 4, 0, 2 * Math.PI);
      pen.stroke();
    }
    if (path.length > 1) {
      pen.beginPath();
      path.forEach((spot) => pen.lineTo(...spot));
      pen.setLineDash([4, 3]);
      pen.stroke();
      pen.setLineDash([]);
    }
    canvas.setAttribute("aria-label", model.get("label"));
  }

  function entry(text, shape, colour, style) {
    const row = document.createElement("div");
    const icon = document.createElement("canvas");
    icon.width = icon.height = 14 * sharp;
    icon.style.width = icon.style.height = "14px";
    const brush = icon.getContext("2d");
    brush.scale(sharp, sharp);
    mark(brush, [7, 7], shape, colour, style, 5);
    row.append(icon, text);
    return row;
  }

  function legend() {
    const { palette, shapes, labels, limits } = model.get("key");
    key.replaceChildren(...labels.map((text, k) => entry(text, shapes[k], palette[k], 0)));
    if (limits) {
      const bar = document.createElement("div");
      bar.className = "discom-ramp";
      bar.style.background = `linear-gradient(to top, ${palette.slice(0, -1).filter((_, k) => k % 15 === 0).join(",")})`;
      const ends = document.createElement("div");
      ends.append(...[limits[1], limits[0]].map((text) => Object.assign(document.createElement("span"), { textContent: text })));
      const both = document.createElement("div");
      both.className = "discom-scale";
      both.append(bar, ends);
      key.append(both);
    }
    key.append(document.createElement("hr"), ...model.get("names").map((text, k) => entry(text, 0, "#444444", k % 3)));
  }

  const choose = (points) => {
    model.set("chosen", points);
    model.save_changes();
  };
  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    path = [spot(event)];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!path.length) return;
    path.push(spot(event));
    draw();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!path.length) return;
    const [x, y] = spot(event);
    const span = Math.max(...path.map(([a, b]) => Math.hypot(a - path[0][0], b - path[0][1])));
    const far = place.map(([a, b]) => Math.hypot(a - x, b - y));
    const near = far.reduce((best, value, k) => (value < far[best] ? k : best), 0);
    const found = span > 4 ? place.flatMap((at, k) => (inside(...at, path) ? [k] : [])) : far[near] <= REACH ? [near] : [];
    path = [];
    choose(found);
    draw();
  });
  canvas.addEventListener("pointercancel", () => {
    path = [];
    draw();
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const [first = step > 0 ? -1 : 0] = model.get("chosen");
    choose([(first + step + place.length) % place.length]);
  });

  model.on("change:xy", () => { layout(); draw(); });
  model.on("change:code", draw);
  model.on("change:key", () => { legend(); draw(); });
  model.on("change:chosen", draw);
  model.on("change:links", draw);
  layout();
  legend();
  draw();
}

export default { render };
