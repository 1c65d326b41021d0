
// answers that lie over a picture: a class for every pixel, or boxes around objects

const COLOURS = ["#0b5cad", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#8c564b"]; // after Okabe & Ito
const colourOf = (place) => COLOURS[place % COLOURS.length];
const LARGE = 640; // pixels that a picture is drawn with along its longer side, or more
const SURE = 0.3; // from which on a box is worth a look

/** The picture that was asked about, to draw on: small ones in whole multiples of their size, large ones smaller. */
function copied() {
  const asked = $("field-0"), { width, height } = asked, longer = Math.max(width, height);
  const times = longer > 2 * LARGE ? (2 * LARGE) / longer : Math.max(1, Math.round(LARGE / longer));
  const canvas = element("canvas", { width: Math.round(times * width), height: Math.round(times * height), role: "img" });
  const pen = canvas.getContext("2d", { willReadFrequently: true }); // thousands of small squares: no work for a graphics card
  pen.imageSmoothingEnabled = times < 1;
  const again = () => pen.drawImage(asked, 0, 0, canvas.width, canvas.height);
  const kept = document.createElement("canvas"); // what was asked, whatever is drawn in the form meanwhile
  [kept.width, kept.height] = [canvas.width, canvas.height];
  again();
  kept.getContext("2d").drawImage(canvas, 0, 0);
  return { canvas, pen, times, clear: () => pen.drawImage(kept, 0, 0) };
}

function swatchOf(place) {
  const swatch = element("i", { class: "swatch", "aria-hidden": "true" });
  swatch.style.background = colourOf(place);
  return swatch;
}

/** A mask of labels, rows of pixels, as colours over the picture, and the share of each class; one alone if wished. */
function mask(labels) {
  const { canvas, pen, times, clear } = copied(), flat = labels.flat();
  const places = new Map(signature.classes.map((label, place) => [label, place]));
  const counts = signature.classes.map((label) => flat.filter((each) => each === label).length);
  const shares = counts.map((n, place) => [place, named(signature.classes[place]), percent(n / flat.length)]).filter(([place]) => counts[place]);
  const draw = (alone) => {
    clear();
    pen.globalAlpha = 0.5;
    labels.forEach((row, y) =>
      row.forEach((label, x) => {
        if (alone && String(places.get(label)) !== alone) return;
        pen.fillStyle = colourOf(places.get(label));
        pen.fillRect(times * x, times * y, times, times);
      }),
    );
    pen.globalAlpha = 1;
  };
  const options = shares.map(([place, name]) => element("option", { value: place }, `${name} alone`));
  const choice = element("select", { id: "seen" }, element("option", { value: "" }, "every class"), ...options);
  choice.onchange = () => draw(choice.value);
  draw("");
  canvas.setAttribute("aria-label", `the picture with ${shares.map(([, name, share]) => `${share} ${name}`).join(", ")}`);
  const lines = shares.map(([place, name, share]) => element("li", {}, element("b", {}, swatchOf(place), name), element("span", {}, share)));
  return [canvas, element("ul", { class: "chances", "aria-label": "share of each class" }, ...lines),
    element("div", { class: "either" }, element("label", { for: "seen" }, "Show"), choice)];
}

/** Boxes (left, top, right, bottom) over the picture, numbered, and a line for each; those less sure than wished are left out. */
function boxes(roles) {
  const { canvas, pen, times, clear } = copied();
  const all = roles.boxes[0].map((box, i) => ({ box, label: roles.label[0][i], sure: roles.confidence[0][i] })).filter(({ sure }) => sure > 0);
  const told = element("p", { class: "label" }), rows = element("div"), value = element("output", { for: "surely" });
  const least = all.length && all[0].sure < SURE ? 0 : SURE;
  const slider = element("input", { type: "range", min: 0, max: 100, step: 1, value: Math.round(100 * least), id: "surely" });
  const draw = () => {
    const wished = slider.value / 100, found = all.filter(({ sure }) => sure >= wished), less = all.length - found.length;
    clear();
    found.forEach((each, i) => outline(pen, times, each, i + 1));
    value.textContent = `${slider.value} %`;
    told.textContent = `${found.length || "nothing"} found${less ? `, and ${less} less sure` : ""}`;
    canvas.setAttribute("aria-label", `the picture with ${counted(found.length, "numbered object")}`);
    const lines = found.map(({ box, label, sure }, i) => [i + 1, element("span", {}, swatchOf(signature.classes.indexOf(label)), named(label)), percent(sure), ...box.map(Math.round)]);
    rows.replaceChildren(...(lines.length ? [tabled("objects", ["no.", "what", "how sure", "left", "top", "right", "bottom"], lines, "figures")] : []));
  };
  slider.oninput = draw;
  draw();
  if (!all.length) return [told, canvas];
  return [told, canvas, element("div", { class: "either" }, element("label", { for: "surely" }, "At least so sure:"), slider, value), rows];
}

/** A box with its number, which reads on any picture. */
function outline(pen, times, { box, label }, number) {
  const [left, top, right, bottom] = box.map((side) => times * side), shrunk = Math.max(1, pen.canvas.width / $("answer").clientWidth), size = Math.round(14 * shrunk);
  pen.lineWidth = 3 * shrunk;
  pen.strokeStyle = pen.fillStyle = colourOf(signature.classes.indexOf(label));
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.font = `bold ${size}px sans-serif`;
  const width = pen.measureText(number).width + 6;
  pen.fillStyle = "#000c";
  pen.fillRect(left, top, width, size + 4);
  pen.fillStyle = "#fff";
  pen.fillText(number, left + 3, top + size);
}
