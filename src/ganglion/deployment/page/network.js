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
  return ort.InferenceSession.create(await unpacked("model"), { logSeverityLevel: 3 }); // errors, and no advice
}
const session = opened();

/** Ask the network: columns, one array of N values under the name of each input → one array under each role.
    Values that are many come as they are fed: { data, dims }. */
async function answer(columns) {
  const feeds = {};
  for (const input of signature.inputs) feeds[input.name] = tensor(input, columns[input.name]);
  const said = await (await session).run(feeds);
  const roles = {};
  for (const output of signature.outputs) {
    const { data, dims } = said[output.name];
    const plain = Array.from(data, (value) => (typeof value === "bigint" ? Number(value) : value));
    roles[output.role] = nested(plain, dims);
  }
  return roles;
}

function tensor(input, values) {
  if (values.dims) return new ort.Tensor(input.dtype, values.data, values.dims);
  if (input.kind === "categorical") return new ort.Tensor("string", values, [values.length, 1]);
  const whole = input.dtype === "int64";
  const flat = values.flat(Infinity).map((value) => (whole ? BigInt(value) : value));
  const dims = [];
  for (let axis = 0, within = values; axis < input.shape.length; axis++, within = within[0]) dims.push(within.length ?? 1);
  return new ort.Tensor(input.dtype, TYPED[input.dtype].from(flat), dims);
}

/** Values in the shape that the network gives: rows, rows of pixels, and so on. */
const nested = (flat, dims) => (dims.length < 2 ? flat : nested(rowsOf(flat, dims.at(-1)), dims.slice(0, -1)));
const rowsOf = (flat, width) => Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width));

