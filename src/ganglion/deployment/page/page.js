"use strict";
// Reads the form by the signature, asks the network, and tells the answer. No byte leaves the page.
const $ = (id) => document.getElementById(id);
const signature = JSON.parse($("signature").textContent);
const TYPED = { float64: Float64Array, float32: Float32Array, uint8: Uint8Array, int64: BigInt64Array };
const MISSING = new Set(signature.missing);
const SHOWN = 10; // classes of an answer, and
const SHOWN_ROWS = 20; // rows of a table
const TOGETHER = 512; // rows go through the network together

// the network

async function unpacked(id) {
  const packed = Uint8Array.from(atob($(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function opened() {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = (await unpacked("wasm")).buffer;
  const loader = new Blob([await unpacked("loader")], { type: "text/javascript" });
  ort.env.wasm.wasmPaths = { mjs: URL.createObjectURL(loader) };
  return ort.InferenceSession.create(await unpacked("model"));
}
const session = opened();

/** Ask the network: columns, one array of N values under the name of each input → one array under each role. */
async function answer(columns) {
  const feeds = {};
  for (const input of signature.inputs) feeds[input.name] = tensor(input, columns[input.name]);
  const said = await (await session).run(feeds);
  const roles = {};
  for (const output of signature.outputs) {
    const { data, dims } = said[output.name];
    const plain = Array.from(data, (value) => (typeof value === "bigint" ? Number(value) : value));
    roles[output.role] = dims.length > 1 ? rowsOf(plain, dims[1]) : plain;
  }
  return roles;
}

function tensor(input, values) {
  if (input.kind === "categorical") return new ort.Tensor("string", values, [values.length, 1]);
  const whole = input.dtype === "int64";
  const flat = values.flat(Infinity).map((value) => (whole ? BigInt(value) : value));
  const dims = [values.length, ...input.shape.slice(1).map((n) => (typeof n === "number" ? n : values[0].length))];
  return new ort.Tensor(input.dtype, TYPED[input.dtype].from(flat), dims);
}

const rowsOf = (flat, width) => Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width));

// what is entered

class Unsuited extends Error {
  constructor(id, message) {
    super(message);
    this.field = id;
  }
}

const isMissing = (text) => MISSING.has(text);

function numberOf(input, text, id) {
  text = text.trim();
  if (isMissing(text)) return NaN;
  if (input.kind === "boolean" && text.toLowerCase() in signature.flags) return signature.flags[text.toLowerCase()];
  const value = input.kind === "date" ? Date.parse(/[tT ]\d/.test(text) ? text : text + "T00:00:00Z") / 1000 : Number(text);
  if (Number.isFinite(value)) return value;
  const wanted = input.kind === "date" ? "a date such as 2024-03-31" : "a number such as 12.5";
  throw new Unsuited(id, `“${text.slice(0, 40)}” is not ${wanted}. Leave it empty if it is not known.`);
}

const valueOf = (input, text, id) =>
  input.kind === "categorical" ? (isMissing(text.trim()) ? "" : text.trim()) : numberOf(input, text, id);

function numbersOf(text, width, id) {
  const found = text.trim().split(/[\s,;]+/).filter(Boolean).map(Number);
  if (found.length !== width) throw new Unsuited(id, `${found.length} numbers were given. Give ${width}, with blanks or commas between them.`);
  const odd = found.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0) throw new Unsuited(id, `The value in place ${odd + 1} is not a number.`);
  return found;
}

function stepsOf(text, width, id) {
  const lines = text.trim().split(/\n/).filter((line) => line.trim());
  if (!lines.length) throw new Unsuited(id, `Give one step a line, of ${width} number${width > 1 ? "s" : ""}.`);
  if (signature.longest && lines.length > signature.longest) throw new Unsuited(id, `${lines.length} steps were given. The model reads ${signature.longest} at most.`);
  return lines.map((line) => numbersOf(line, width, id));
}

const INSIDE = "[\\p{L}\\p{N}_\\p{M}\\u200c\\u200d]*";
const WORDS = new RegExp(`[\\p{L}\\p{N}_]${INSIDE}(?:['’][\\p{L}\\p{N}_]${INSIDE})*|[^\\p{L}\\p{N}_\\s]`, "gu");

function idsOf(text, id) {
  const { tokenizer, vocabulary, lowercase } = signature.tokenizer;
  const known = (idsOf.known ??= new Map(vocabulary.map((token, i) => [token, i])));
  const clean = lowercase ? text.toLowerCase() : text;
  const tokens = tokenizer === "words" ? (clean.match(WORDS) ?? []) : Array.from(clean);
  if (!tokens.length) throw new Unsuited(id, "There is nothing to read: write a text.");
  const ids = tokens.map((token) => known.get(token) ?? signature.unknown);
  return signature.longest ? ids.slice(0, signature.longest) : ids;
}

// the form: for each modality the fields, and how one sample is read from them

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== false) made.setAttribute(name, value === true ? "" : value);
  made.append(...children);
  return made;
}

function field(id, name, hint, control, wide = false) {
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  const parts = [element("label", { for: id }, name), control];
  if (hint) parts.push(element("small", { id: `${id}-hint` }, hint));
  const box = element("div", { class: wide ? "field wide" : "field" }, ...parts);
  $("fields").append(box);
  return control;
}

const shortened = (value) => String(Number(value.toPrecision(3)));

function columnField(input, i) {
  const id = `field-${i}`;
  if (input.kind === "categorical" || input.kind === "boolean") {
    const known = input.kind === "boolean" ? ["yes", "no"] : input.categories;
    if (known.length > 60) {
      const list = element("datalist", { id: `${id}-list` }, ...known.map((value) => element("option", { value })));
      $("fields").append(list);
      return field(id, input.name, `${known.length} values are known; others count as unknown`, element("input", { list: `${id}-list`, autocomplete: "off" }));
    }
    const choices = known.map((value) => element("option", { value }, value));
    return field(id, input.name, "", element("select", {}, element("option", { value: "" }, "not known"), ...choices));
  }
  if (input.kind === "date") return field(id, input.name, "", element("input", { type: "date" }));
  const [low, high] = input.typical;
  const hint = high === undefined ? "a number" : `mostly ${shortened(low)} to ${shortened(high)}`;
  return field(id, input.name, hint, element("input", { inputmode: "decimal", autocomplete: "off" }));
}

const FORMS = {
  table() {
    const [first] = signature.inputs;
    if (first.kind === "numbers" && signature.inputs.length === 1) {
      const width = first.shape[1];
      const area = field("field-0", first.name, `${width} numbers, with blanks or commas between them`, element("textarea"), true);
      return () => ({ [first.name]: [numbersOf(area.value, width, "field-0")] });
    }
    const controls = signature.inputs.map((input, i) =>
      input.kind === "numbers"
        ? field(`field-${i}`, input.name, `${input.shape[1]} numbers, with blanks or commas between them`, element("textarea"), true)
        : columnField(input, i),
    );
    $("example").hidden = false;
    $("example").onclick = () => signature.inputs.forEach((input, i) => (controls[i].value = typicalOf(input)));
    return () => {
      const columns = {};
      signature.inputs.forEach((input, i) => {
        const { value, id } = controls[i];
        columns[input.name] = [input.kind === "numbers" ? numbersOf(value, input.shape[1], id) : valueOf(input, value, id)];
      });
      return columns;
    };
  },
  text() {
    const area = field("field-0", signature.columns.join(", ") || "text", signature.longest ? `the first ${signature.longest} tokens are read` : "", element("textarea"), true);
    return () => {
      const ids = idsOf(area.value, "field-0");
      return { tokens: [ids], tokens_length: [ids.length] };
    };
  },
  sequence() {
    const width = signature.inputs[0].shape[2];
    const area = field("field-0", "steps", `one step a line, each of ${width} number${width > 1 ? "s" : ""}`, element("textarea"), true);
    return () => {
      const steps = stepsOf(area.value, width, "field-0");
      return { sequence: [steps], sequence_length: [steps.length] };
    };
  },
  image() {
    const input = signature.inputs[0];
    const pad = drawingPad(input);
    return () => ({ [input.name]: [pad.pixels()] });
  },
};

function typicalOf(input) {
  if (input.kind === "categorical") return input.categories[0] ?? "";
  if (input.kind === "boolean") return "no";
  if (input.kind === "numbers") return Array(input.shape[1]).fill(0).join(" ");
  if (input.typical.length < 2) return "";
  const middle = (input.typical[0] + input.typical[1]) / 2;
  return input.kind === "date" ? new Date(middle * 1000).toISOString().slice(0, 10) : shortened(middle);
}

// pictures: from a file, dropped, or drawn with a pointer or with the arrow keys

function drawingPad(input) {
  const [, height, width, channels] = input.shape;
  const zoom = Math.max(1, Math.floor(280 / Math.max(height, width)));
  const canvas = element("canvas", { width, height, tabindex: "0", id: "field-0", role: "img", "aria-describedby": "field-0-hint" });
  canvas.setAttribute("aria-label", "drawing pad, empty");
  canvas.style.width = `${width * zoom}px`;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const inverted = element("input", { type: "checkbox", id: "invert" });
  const file = element("input", { type: "file", accept: "image/*", id: "picture" });
  const bounds = input.dtype === "uint8" ? [0, 255] : null;
  const low = element("input", { inputmode: "decimal", id: "low", value: "0" });
  const high = element("input", { inputmode: "decimal", id: "high", value: "1" });
  const side = element("div", {}, element("label", { for: "picture" }, "A picture from a file"), file,
    element("small", { id: "field-0-hint" }, `It is brought to ${width} × ${height} pixels. Or drop one here, or draw: with a pointer, or with the arrow keys while the space bar is held down or Shift is pressed.`),
    element("p", {}, element("label", { for: "invert" }, inverted, "dark and light swapped")));
  if (!bounds) side.append(element("div", {}, element("label", { for: "low" }, "black is"), low), element("div", {}, element("label", { for: "high" }, "white is, as in training"), high));
  const box = element("fieldset", { class: "field wide" }, element("legend", {}, "picture"), element("div", { class: "pad" }, canvas, side));
  $("fields").append(box);

  const place = { x: Math.floor(width / 2), y: Math.floor(height / 2) };
  const thick = Math.max(1, Math.round(Math.max(width, height) / 14));
  const clear = () => {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, width, height);
    canvas.setAttribute("aria-label", "drawing pad, empty");
  };
  const stroke = (from, to) => {
    pen.strokeStyle = "#fff";
    pen.lineWidth = thick;
    pen.lineCap = "round";
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x + 0.01, to.y);
    pen.stroke();
    canvas.setAttribute("aria-label", "drawing pad, with a drawing");
  };
  const at = (event) => {
    const frame = canvas.getBoundingClientRect();
    return { x: ((event.clientX - frame.left) / frame.width) * width, y: ((event.clientY - frame.top) / frame.height) * height };
  };
  let last = null, held = false;
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
  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.onkeydown = (event) => {
    if (event.key === " ") {
      held = true;
      stroke(place, place);
      event.preventDefault();
    }
    if (!MOVES[event.key]) return;
    event.preventDefault();
    const from = { ...place };
    place.x = Math.min(width - 1, Math.max(0, place.x + MOVES[event.key][0]));
    place.y = Math.min(height - 1, Math.max(0, place.y + MOVES[event.key][1]));
    if (held || event.shiftKey) stroke(from, place);
  };
  canvas.onkeyup = (event) => {
    if (event.key === " ") held = false;
  };
  const show = async (blob) => {
    try {
      const picture = await createImageBitmap(blob);
      clear();
      pen.imageSmoothingQuality = "high";
      pen.drawImage(picture, 0, 0, width, height);
      canvas.setAttribute("aria-label", `a picture of ${picture.width} × ${picture.height} pixels`);
      complain(null);
    } catch {
      complain(new Unsuited("picture", `${blob.name ?? "This"} is no picture that can be read. Give a PNG or JPEG file.`));
    }
  };
  file.onchange = () => file.files.length && show(file.files[0]);
  box.ondragover = (event) => {
    event.preventDefault();
    box.classList.add("dropping");
  };
  box.ondragleave = () => box.classList.remove("dropping");
  box.ondrop = (event) => {
    event.preventDefault();
    box.classList.remove("dropping");
    if (event.dataTransfer.files.length) show(event.dataTransfer.files[0]);
  };
  $("form").addEventListener("reset", clear);
  clear();
  return {
    pixels() {
      const { data } = pen.getImageData(0, 0, width, height);
      const [least, most] = bounds ?? [numberOf({ kind: "numeric" }, low.value, "low"), numberOf({ kind: "numeric" }, high.value, "high")];
      const scaled = (value) => least + ((inverted.checked ? 255 - value : value) / 255) * (most - least);
      return pixelsOf(data, height, width, channels).map((row) => row.map((pixel) => pixel.map(scaled)));
    },
  };
}

/** Bytes of a canvas, four a pixel → rows of pixels of one channel (luma, ITU-R 601), three or four. */
function pixelsOf(data, height, width, channels) {
  const pixel = (i) =>
    channels === 1 ? [Math.round(0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2])] : Array.from(data.slice(i, i + channels));
  return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => pixel(4 * (y * width + x))));
}

// what is told

function complain(error) {
  document.querySelectorAll(".error").forEach((each) => each.remove());
  document.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
  if (!error) return;
  const control = error.field ? $(error.field) : null;
  const message = element("p", { class: "error", role: "alert" }, error.message);
  if (!control) return void $("form").append(message);
  control.setAttribute("aria-invalid", "true");
  control.insertAdjacentElement("afterend", message);
  control.focus();
}

const named = (value) => (signature.class_kind === "bool" ? (value ? "True" : "False") : String(value));
const percent = (value) => `${(100 * value).toFixed(1)} %`;
const figure = (value) => (Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(3) : String(Number(value.toPrecision(5))));

function tell(roles, milliseconds) {
  const parts = [];
  const name = signature.target ? `${signature.target}: ` : "";
  if (roles.prediction) {
    const values = [roles.prediction[0]].flat().map(figure);
    const spread = roles.deviation ? ` ± ${[roles.deviation[0]].flat().map(figure).join(", ")}` : "";
    parts.push(element("p", { class: "label" }, name + values.join(", ") + spread));
  } else {
    const label = signature.multilabel
      ? signature.classes.filter((_, i) => roles.label[0][i]).map(named).join(", ") || "none of the labels"
      : named(roles.label[0]);
    parts.push(element("p", { class: "label" }, name + label));
  }
  if (roles.probabilities) parts.push(chances(roles.probabilities[0]));
  parts.push(element("p", { class: "soft" }, `Answered in ${milliseconds.toFixed(1)} ms on this device.`));
  $("answer").replaceChildren(...parts);
}

function chances(probabilities) {
  const order = probabilities.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
  const items = order.slice(0, SHOWN).map((i) => {
    const filled = element("i");
    filled.style.width = percent(probabilities[i]).replace(" ", "");
    return element("li", {}, element("b", {}, named(signature.classes[i])), element("span", {}, percent(probabilities[i])), element("div", { class: "bar", "aria-hidden": "true" }, filled));
  });
  const list = element("ul", { class: "chances", "aria-label": "probabilities" }, ...items);
  if (order.length > SHOWN) list.append(element("li", { class: "soft" }, `${order.length - SHOWN} more classes are less likely.`));
  return list;
}

// a whole table

/** Text of a CSV file → rows of cells: quotes may hold separators, line ends and doubled quotes (RFC 4180). */
function cells(text) {
  const first = text.slice(0, text.search(/\n|$/));
  const by = [",", ";", "\t"].reduce((best, each) => (first.split(each).length > first.split(best).length ? each : best));
  const rows = [[]];
  let cell = "", quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') cell += text[++i];
      else if (c === '"') quoted = false;
      else cell += c;
    } else if (c === '"' && !cell) quoted = true;
    else if (c === by || c === "\n") {
      rows.at(-1).push(cell);
      cell = "";
      if (c === "\n") rows.push([]);
    } else if (c !== "\r") cell += c;
  }
  rows.at(-1).push(cell);
  return rows.filter((row) => row.length > 1 || row[0].trim());
}

async function answerTable(text) {
  const [names, ...rows] = cells(text.replace(/^\ufeff/, ""));
  if (!names || !rows.length) throw new Unsuited("file", "The file has no rows. Give a line of names, and one row or more.");
  const header = names.map((name) => name.trim());
  const places = signature.inputs.map((input) => header.indexOf(input.name));
  const lacking = signature.inputs.filter((_, i) => places[i] < 0).map((input) => input.name);
  if (lacking.length) throw new Unsuited("file", `The columns ${lacking.join(", ")} are missing. The file has: ${header.slice(0, 20).join(", ")}.`);
  const joined = {};
  for (let start = 0; start < rows.length; start += TOGETHER) {
    const some = rows.slice(start, start + TOGETHER);
    const columns = {};
    signature.inputs.forEach((input, i) => (columns[input.name] = some.map((row, k) => cellOf(input, row[places[i]] ?? "", start + k))));
    for (const [role, values] of Object.entries(await answer(columns))) (joined[role] ??= []).push(...values);
  }
  return [header, rows, joined];
}

function cellOf(input, text, row) {
  try {
    return valueOf(input, text, "file");
  } catch (error) {
    throw new Unsuited("file", `Row ${row + 1}, column ${input.name}: ${error.message}`);
  }
}

function tellTable([header, rows, roles]) {
  const main = roles.label ? roles.label.map((value) => [value].flat().map(named).join(" ")) : roles.prediction.map((value) => [value].flat().map(figure).join(" "));
  const sure = roles.probabilities && !signature.multilabel ? roles.probabilities.map((each) => Math.max(...each)) : null;
  const answerName = signature.target ? `predicted ${signature.target}` : "predicted";
  const head = [answerName, ...(sure ? ["probability"] : []), ...header];
  const told = (i) => [main[i], ...(sure ? [sure[i].toFixed(4)] : []), ...rows[i]];
  const all = [head, ...rows.map((_, i) => told(i))].map((row) => row.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(","));
  const link = element("a", { download: "answers.csv", href: URL.createObjectURL(new Blob([all.join("\n") + "\n"], { type: "text/csv" })) }, "Save all as answers.csv");
  const shown = rows.slice(0, SHOWN_ROWS).map((_, i) => element("tr", {}, ...told(i).map((cell) => element("td", {}, cell))));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))), element("tbody", {}, ...shown));
  $("rows").replaceChildren(element("p", {}, `${rows.length.toLocaleString("en")} rows were answered${rows.length > SHOWN_ROWS ? `; the first ${SHOWN_ROWS} are shown` : ""}. `, link),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "answers" }, table));
}

// together

const sample = FORMS[signature.modality]();

$("form").onsubmit = async (event) => {
  event.preventDefault();
  complain(null);
  try {
    const columns = sample();
    const start = performance.now();
    tell(await answer(columns), performance.now() - start);
  } catch (error) {
    if (!(error instanceof Unsuited)) console.error(error);
    complain(error);
  }
};
$("form").addEventListener("reset", () => {
  complain(null);
  $("answer").replaceChildren(element("p", { class: "soft" }, "None yet."));
});
if (signature.modality === "table" && signature.inputs.every((input) => input.kind !== "numbers")) {
  $("table").hidden = false;
  $("file").onchange = async () => {
    complain(null);
    $("rows").replaceChildren();
    try {
      if ($("file").files.length) tellTable(await answerTable(await $("file").files[0].text()));
    } catch (error) {
      complain(error);
    }
  };
}
session.then(
  () => {
    $("submit").disabled = false;
    $("state").textContent = "Ready.";
  },
  (error) => {
    console.error(error);
    $("state").textContent = `This browser cannot run the model (${error.message}). Use a newer one: WebAssembly and DecompressionStream are needed.`;
  },
);
window.ganglion = { answer, answerTable, idsOf };
