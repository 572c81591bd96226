// Shows the picture that Python drew, and tells it where the pointer went: a click or a lasso.
function render({ model, el }) {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const picture = new Image();
  let path = [];
  canvas.setAttribute("role", "img");
  canvas.style.cursor = "crosshair";
  el.classList.add("discom-scatter");
  el.append(canvas);

  function draw() {
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.style.width = `${picture.width / 2}px`; // drawn in double size, for sharp screens
    canvas.style.maxWidth = "100%"; // of a narrow page
    canvas.setAttribute("aria-label", model.get("label"));
    pen.drawImage(picture, 0, 0);
    pen.lineWidth = 2;
    pen.setLineDash([8, 6]);
    pen.beginPath();
    path.forEach(([x, y]) => pen.lineTo(2 * x, 2 * y));
    pen.stroke();
  }

  function place(event) {
    const scale = picture.width / 2 / canvas.clientWidth;
    return [event.offsetX * scale, event.offsetY * scale];
  }

  canvas.addEventListener("pointerdown", (event) => {
    path = [place(event)];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!path.length) return;
    path.push(place(event));
    draw();
  });
  canvas.addEventListener("pointerup", () => {
    model.set("path", path);
    model.save_changes();
    path = [];
    draw();
  });

  picture.onload = draw;
  model.on("change:picture", () => (picture.src = model.get("picture")));
  picture.src = model.get("picture");
}

export default { render };
