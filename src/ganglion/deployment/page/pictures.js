
// pictures: from a file, dropped, or drawn with a pointer or with the arrow keys

const HOW = {
  stretch: "The whole of it is scaled to that, each side for itself",
  crop: "The largest middle part of the right proportions is scaled to that",
  pad: "The whole of it is scaled alike in both directions and laid in the middle of black",
};

const ANY = 128; // pixels to each side of a drawing where the network takes any, and
const MOST = 1024; // of the longer side of a picture
const SEEN = [280, 512]; // pixels of the screen along the longer side of the pad, at least and at most

/** Height and width of the pictures that the network has: numbers, or names where it has any. */
const sidesOf = (input) => (input.size.length ? input.size : input.shape.slice(1, 3));

function drawingPad(input) {
  const sides = sidesOf(input), channels = input.shape[3];
  const fixed = sides.every((side) => typeof side === "number"), begun = fixed ? sides : [ANY, ANY];
  let [height, width] = begun;
  const canvas = element("canvas", { width, height, tabindex: "0", id: "field-0", role: "application", "aria-roledescription": "drawing pad", "aria-describedby": "field-0-hint" });
  const resize = ([h, w]) => {
    [canvas.height, canvas.width] = [height, width] = [h, w];
    Object.assign(place, { x: Math.floor(w / 2), y: Math.floor(h / 2) });
    moved();
    const longer = Math.max(h, w);
    canvas.style.width = `${w * (longer < SEEN[0] ? Math.floor(SEEN[0] / longer) : Math.min(1, SEEN[1] / longer))}px`;
  };
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const mark = element("i", { class: "pen", "aria-hidden": "true" });
  const inverted = element("input", { type: "checkbox", id: "invert" });
  const file = element("input", { type: "file", accept: "image/*", id: "picture" });
  const told = element("p", { class: "soft", role: "status", id: "pictured" });
  const side = element("div", {}, element("label", { for: "picture" }, "A picture from a file"), file,
    element("small", {}, fixed
      ? `Of any size, or dropped here. The model sees ${width} × ${height} pixels${channels === 1 ? " of grey" : ""}. ${HOW[signature.resize] ?? HOW.stretch}, as in training.`
      : `Or dropped here. The model sees it as it is${channels === 1 ? ", in grey" : ""}; what has more than ${MOST} pixels to a side is scaled down.`),
    told, element("label", { class: "check", for: "invert" }, inverted, "dark and light swapped"));
  const scale = input.dtype === "uint8" ? null : scaleFields(side);
  const board = element("div", { class: "board" }, canvas, mark);
  const box = element("fieldset", { class: "field wide" }, element("legend", {}, "picture"),
    element("div", { class: "pad" }, element("div", {}, board, element("small", { id: "field-0-hint" }, "Draw here: with a pointer, or with the arrow keys while Space or Shift is held.")), side));
  $("fields").append(box);

  const place = { x: 0, y: 0 };
  const label = (text) => canvas.setAttribute("aria-label", `picture, ${text}`);
  const clear = () => {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, width, height);
    told.textContent = "";
    label("empty");
  };
  const moved = () => {
    mark.style.left = `${(100 * (place.x + 0.5)) / width}%`;
    mark.style.top = `${(100 * (place.y + 0.5)) / height}%`;
  };
  const stroke = (from, to) => {
    pen.strokeStyle = "#fff";
    pen.lineWidth = Math.max(1, Math.round(Math.max(width, height) / 14));
    pen.lineCap = "round";
    pen.beginPath();
    pen.moveTo(from.x + 0.5, from.y + 0.5);
    pen.lineTo(to.x + 0.51, to.y + 0.5);
    pen.stroke();
    label("with a drawing");
  };
  drawnByPointer(canvas, stroke);
  drawnByKeys(canvas, place, stroke, moved);
  const show = async (blob) => {
    complain(null);
    const name = blob.name ?? "The picture";
    try {
      const picture = await createImageBitmap(blob, { colorSpaceConversion: "none" }); // turned as its camera was
      const { height: h, width: w } = picture, less = Math.min(1, MOST / Math.max(h, w));
      // the graph brings pictures to the size of training
      resize(input.size.length ? [h, w] : fixed ? sides : [h, w].map((side) => Math.max(1, Math.round(side * less))));
      pen.fillStyle = "#fff"; // below what is transparent
      pen.fillRect(0, 0, width, height);
      pen.drawImage(picture, 0, 0, width, height);
      label(`${name}, ${w} × ${h} pixels`);
      const seen = fixed ? sides : [height, width];
      told.textContent = `${name} has ${w} × ${h} pixels${h === seen[0] && w === seen[1] ? "." : `, brought to ${seen[1]} × ${seen[0]}.`}`;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      complain(new Unsuited("picture", `${name} is no picture that can be read. Give a PNG or JPEG file.`));
    }
  };
  file.onchange = () => file.files.length && show(file.files[0]);
  dropped(box, show);
  $("form").addEventListener("reset", () => {
    resize(begun);
    clear();
  });
  resize(begun);
  clear();
  return {
    pixels() {
      const plain = plainPixels(pen.getImageData(0, 0, width, height).data, channels);
      if (inverted.checked) plain.forEach((value, i) => (plain[i] = 255 - value));
      const [least, most] = scale ? scale() : [0, 255];
      const data = scale ? Float32Array.from(plain, (value) => least + (value / 255) * (most - least)) : plain;
      return { data, dims: [1, height, width, channels] };
    },
  };
}

/** Fields for what black and white are where pixels are fractions; gives the function that reads them. */
function scaleFields(side) {
  const ends = ["black", "white"].map((name, value) => {
    const control = element("input", { inputmode: "decimal", id: name, value: String(value) });
    side.append(element("label", { for: name }, `${name} is, as in training`), control);
    return control;
  });
  return () => ends.map(({ id, value }) => numberOf({ kind: "numeric" }, value, id));
}

function drawnByPointer(canvas, stroke) {
  let last = null;
  const at = (event) => {
    const frame = canvas.getBoundingClientRect();
    const { width, height } = canvas;
    return { x: ((event.clientX - frame.left) / frame.width) * width - 0.5, y: ((event.clientY - frame.top) / frame.height) * height - 0.5 };
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    stroke(last, last);
  };
  canvas.onpointermove = (event) => {
    if (!last) return;
    const next = at(event);
    stroke(last, next);
    last = next;
  };
  canvas.onpointerup = canvas.onpointercancel = () => (last = null);
}

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function drawnByKeys(canvas, place, stroke, moved) {
  let held = false;
  canvas.onkeydown = (event) => {
    if (event.key === " ") {
      held = true;
      stroke(place, place);
      event.preventDefault();
    }
    if (!MOVES[event.key]) return;
    event.preventDefault();
    const from = { ...place }, far = Math.ceil(Math.max(canvas.width, canvas.height) / ANY);
    place.x = Math.min(canvas.width - 1, Math.max(0, place.x + far * MOVES[event.key][0]));
    place.y = Math.min(canvas.height - 1, Math.max(0, place.y + far * MOVES[event.key][1]));
    moved();
    if (held || event.shiftKey) stroke(from, place);
  };
  canvas.onkeyup = (event) => {
    if (event.key === " ") held = false;
  };
  canvas.onblur = () => (held = false);
}

/** Let files be dropped on a part of the page. */
function dropped(box, take) {
  box.ondragover = (event) => {
    event.preventDefault();
    box.classList.add("dropping");
  };
  box.ondragleave = () => box.classList.remove("dropping");
  box.ondrop = (event) => {
    event.preventDefault();
    box.classList.remove("dropping");
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  };
}

/** Bytes of a canvas, four a pixel → `channels` a pixel; grey by ITU-R 601, as Pillow has it. */
function plainPixels(rgba, channels) {
  const n = rgba.length / 4, plain = new Uint8Array(n * channels);
  for (let i = 0; i < n; i++) {
    if (channels === 1) plain[i] = (19595 * rgba[4 * i] + 38470 * rgba[4 * i + 1] + 7471 * rgba[4 * i + 2] + 32768) >> 16;
    else for (let c = 0; c < channels; c++) plain[channels * i + c] = rgba[4 * i + c];
  }
  return plain;
}
