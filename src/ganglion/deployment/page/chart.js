
// a chart of what was and what is to come, drawn in SVG

const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Round numbers from below the least to above the largest value. */
function ticksOf(least, most, about = 4) {
  const span = most - least || Math.abs(most) || 1;
  const rough = span / about, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((by) => by * power).find((each) => each >= rough * 0.999);
  const first = Math.floor(least / step) - (most === least), last = Math.ceil(most / step) + (most === least);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Places of values as a path, which is broken where one is missing. */
function pathOf(points) {
  let pen = "M";
  return points.map(([x, y]) => {
    if (Number.isNaN(y)) return (pen = "M"), "";
    const part = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
    return part;
  }).join("");
}

/**
 * What was, what is to come and the band around it.
 * past, ahead: values; band: [low, high] of each step ahead, or null; textOf(step): what a step is called, 0 the last known.
 */
function chart({ past, ahead, band, textOf, width, label }) {
  const height = Math.round(Math.min(320, Math.max(200, width * 0.45)));
  const ticks = ticksOf(...[Math.min, Math.max].map((end) => end(...[...past, ...ahead, ...(band ?? []).flat()].filter(Number.isFinite))));
  const texts = ticks.map(figure);
  const left = 16 + 7.5 * Math.max(...texts.map((text) => text.length)), right = 10, top = 10, bottom = 28;
  const n = past.length + ahead.length;
  const x = (i) => left + ((width - left - right) * i) / Math.max(1, n - 1);
  const y = (value) => top + ((height - top - bottom) * (ticks.at(-1) - value)) / (ticks.at(-1) - ticks[0]);
  const grid = ticks.map((value, i) => drawn("g", {},
    drawn("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "grid" }),
    drawn("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, texts[i])));
  const from = past.length - 1; // the forecast begins at the last known value
  const joined = ahead.map((value, i) => [x(from + 1 + i), y(value)]);
  const begin = [x(from), y(past[from])];
  const parts = [...grid, ...timeTicks(past.length, n, x, height - bottom, textOf, width - right)];
  if (band) {
    const edge = (side) => band.map((ends, i) => [x(from + 1 + i), y(ends[side])]);
    parts.push(drawn("path", { d: `${pathOf([begin, ...edge(1), ...edge(0).reverse()])}Z`, class: "band" }));
  }
  parts.push(drawn("path", { d: pathOf(past.map((value, i) => [x(i), y(value)])), class: "past" }));
  parts.push(drawn("path", { d: pathOf([begin, ...joined]), class: "ahead" }));
  if (x(1) - x(0) >= 10) parts.push(...joined.map(([cx, cy]) => drawn("circle", { cx, cy, r: 3, class: "dot" })));
  return drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "chart" }, ...parts);
}

/** When the first step shown, the last known one and the last one to come are, as far as their names have room. */
function timeTicks(known, n, x, base, textOf, right) {
  const now = drawn("line", { x1: x(known - 1), x2: x(known - 1), y1: 10, y2: base, class: "now" });
  const room = (text) => 7.5 * text.length + 8;
  const first = textOf(1 - known), middle = textOf(0), last = textOf(n - known);
  const centre = Math.min(Math.max(x(known - 1), room(middle) / 2), right - room(middle) / 2);
  const text = (at, anchor, what) => drawn("text", { x: at, y: base + 18, "text-anchor": anchor }, what);
  const told = [text(right, "end", last)];
  const fits = centre + room(middle) / 2 < right - room(last);
  if (fits) told.push(text(centre, "middle", middle));
  if (x(0) + room(first) < (fits ? centre - room(middle) / 2 : right - room(last))) told.push(text(x(0), "start", first));
  return [drawn("line", { x1: x(0), x2: right, y1: base, y2: base, class: "axis" }), now, ...told];
}
