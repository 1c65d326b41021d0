
// pictures: from a file, dropped, or drawn with a pointer or with the arrow keys

const HOW = {
  stretch: "The whole of it is scaled to that, each side for itself",
  crop: "The largest middle part of the right proportions is scaled to that",
  pad: "The whole of it is scaled alike in both directions and laid in the middle of black",
};

const ANY = 128; // pixels to each side of a drawing where the network takes any, and
const MOST = 1024; // of the longer side of a picture

/** Height and width of the pictures that the network has: numbers, or names where it has any. */
const sidesOf = (input) => (input.size.length ? input.size : input.shape.slice(1, 3));

function drawingPad(input) {
  const sides = sidesOf(input), channels = input.shape[3];
  const fixed = sides.every((side) => typeof side === "number");
  let [height, width] = fixed ? sides : [ANY, ANY];
  const canvas = element("canvas", { width, height, tabindex: "0", id: "field-0", role: "application", "aria-roledescription": "drawing pad", "aria-describedby": "field-0-hint" });
  const resize = ([h, w]) => {
    [canvas.height, canvas.width] = [height, width] = [h, w];
    canvas.style.width = `${w * Math.max(1, Math.floor(280 / Math.max(h, w)))}px`;
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

  const place = { x: Math.floor(width / 2), y: Math.floor(height / 2) };
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
      const picture = await decoded(blob, channels);
      if (!fixed) resize(picture.size.map((side) => Math.max(1, Math.round(side * Math.min(1, MOST / Math.max(...picture.size))))));
      pen.putImageData(new ImageData(shownPixels(fitted(picture, [height, width], signature.resize), channels), width, height), 0, 0);
      const [h, w] = picture.size;
      label(`${name}, ${w} × ${h} pixels`);
      told.textContent = `${name} has ${w} × ${h} pixels${h === height && w === width ? "." : `, brought to ${width} × ${height}.`}`;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      complain(new Unsuited("picture", `${name} is no picture that can be read. Give a PNG or JPEG file.`));
    }
  };
  file.onchange = () => file.files.length && show(file.files[0]);
  dropped(box, show);
  $("form").addEventListener("reset", () => {
    if (!fixed) resize([ANY, ANY]);
    clear();
  });
  resize([height, width]);
  clear();
  moved();
  return {
    pixels() {
      const { data } = pen.getImageData(0, 0, width, height);
      const [least, most] = scale ? scale() : [0, 255];
      const scaled = (value) => least + ((inverted.checked ? 255 - value : value) / 255) * (most - least);
      return pixelsOf(data, height, width, channels).map((row) => row.map((pixel) => pixel.map(scaled)));
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
    const from = { ...place };
    place.x = Math.min(canvas.width - 1, Math.max(0, place.x + MOVES[event.key][0]));
    place.y = Math.min(canvas.height - 1, Math.max(0, place.y + MOVES[event.key][1]));
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

/** A picture file → { pixels, size: [height, width], channels }, turned as its camera was, its colours as they are. */
async function decoded(blob, channels) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  pen.drawImage(bitmap, 0, 0);
  const { data } = pen.getImageData(0, 0, bitmap.width, bitmap.height);
  return { pixels: plainPixels(data, channels), size: [bitmap.height, bitmap.width], channels };
}

/** Pixels of one, three or four channels → bytes of a canvas. */
function shownPixels(pixels, channels) {
  const shown = new Uint8ClampedArray((4 * pixels.length) / channels).fill(255);
  for (let i = 0; i < pixels.length / channels; i++) {
    for (let c = 0; c < Math.max(3, channels); c++) shown[4 * i + c] = pixels[i * channels + (channels === 1 ? 0 : c)];
  }
  return shown;
}

/** Bytes of a canvas → rows of pixels. */
function pixelsOf(data, height, width, channels) {
  const plain = plainPixels(data, channels);
  return Array.from({ length: height }, (_, y) => rowsOf(Array.from(plain.subarray(y * width * channels, (y + 1) * width * channels)), channels));
}
