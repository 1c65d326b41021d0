
// answers that lie over a picture: a class for every pixel, or boxes around objects

const COLOURS = ["#0b5cad", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#8c564b"]; // after Okabe & Ito
const colourOf = (place) => COLOURS[place % COLOURS.length];

/** The picture that was asked about, to draw on. */
function copied() {
  const asked = $("field-0");
  const canvas = element("canvas", { width: asked.width, height: asked.height, role: "img" });
  canvas.style.width = `${Math.max(280, asked.width)}px`;
  const pen = canvas.getContext("2d");
  pen.drawImage(asked, 0, 0);
  return { canvas, pen };
}

function swatchOf(place) {
  const swatch = element("i", { class: "swatch", "aria-hidden": "true" });
  swatch.style.background = colourOf(place);
  return swatch;
}

/** What each colour stands for. */
function legend(items) {
  const lines = items.map(([place, name, value]) => element("li", {}, element("b", {}, swatchOf(place), name), element("span", {}, value)));
  return element("ul", { class: "chances", "aria-label": "what was found" }, ...lines);
}

/** A mask of labels, rows of pixels, as colours over the picture, and the share of each class. */
function mask(labels) {
  const { canvas, pen } = copied(), flat = labels.flat();
  const places = new Map(signature.classes.map((label, place) => [label, place]));
  const counts = signature.classes.map((label) => flat.filter((each) => each === label).length);
  pen.globalAlpha = 0.5;
  labels.forEach((row, y) =>
    row.forEach((label, x) => {
      pen.fillStyle = colourOf(places.get(label));
      pen.fillRect(x, y, 1, 1);
    }),
  );
  const shares = counts.map((n, place) => [place, named(signature.classes[place]), percent(n / flat.length)]).filter((_, place) => counts[place]);
  canvas.setAttribute("aria-label", `the picture with ${shares.map(([, name, share]) => `${share} ${name}`).join(", ")}`);
  return [canvas, legend(shares)];
}

/** Boxes (left, top, right, bottom) over the picture, and how sure each is; those of no confidence are none. */
function boxes(roles) {
  const { canvas, pen } = copied();
  const found = roles.boxes[0].map((box, i) => ({ box, label: roles.label[0][i], sure: roles.confidence[0][i] })).filter(({ sure }) => sure > 0);
  pen.lineWidth = Math.max(1, canvas.width / 160);
  const lines = found.map(({ box, label, sure }) => {
    const place = signature.classes.indexOf(label), [left, top, right, bottom] = box;
    pen.strokeStyle = colourOf(place);
    pen.strokeRect(left, top, right - left, bottom - top);
    return [place, `${named(label)}, ${box.map(Math.round).join(", ")}`, percent(sure)];
  });
  canvas.setAttribute("aria-label", `the picture with ${found.length} object${found.length === 1 ? "" : "s"}`);
  const counted = element("p", { class: "label" }, found.length ? `${found.length} found` : "nothing found");
  return [counted, canvas, ...(lines.length ? [element("p", { class: "soft" }, "Each with its left, top, right and bottom in pixels, and how sure it is:"), legend(lines)] : [])];
}
