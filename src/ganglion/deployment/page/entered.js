
// what is entered

class Unsuited extends Error {
  constructor(id, message) {
    super(message);
    this.field = id;
  }
}

/** Read something, and say where it stands if it cannot be read. */
function within(where, read) {
  try {
    return read();
  } catch (error) {
    throw error instanceof Unsuited ? new Unsuited(error.field, `${where}: ${error.message}`) : error;
  }
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i; // as Python writes them: neither 0x10 nor Infinity
const isNumber = (text) => NUMBER.test(text.trim());
const isMissing = (text) => MISSING.has(text);

function numberOf(input, text, id) {
  text = text.trim();
  if (isMissing(text)) return NaN;
  if (input.kind === "boolean" && text.toLowerCase() in signature.flags) return signature.flags[text.toLowerCase()];
  const value = input.kind === "date" ? dateOf(text) : isNumber(text) ? Number(text) : NaN;
  if (Number.isFinite(value)) return value;
  const wanted = input.kind === "date" ? "a date such as 2024-03-31" : "a number such as 12.5";
  throw new Unsuited(id, `“${text.slice(0, 40)}” is not ${wanted}. Leave it empty if it is not known.`);
}

const valueOf = (input, text, id) =>
  input.kind === "categorical" ? (isMissing(text.trim()) ? "" : text.trim()) : numberOf(input, text, id);

function numbersOf(text, width, id) {
  const cells = text.trim().split(/[\s,;]+/).filter(Boolean), found = cells.map((cell) => (isMissing(cell) ? NaN : Number(cell)));
  if (found.length !== width) throw new Unsuited(id, `${counted(found.length, "number was", "numbers were")} given. Give ${width}, with blanks or commas between them.`);
  const odd = cells.findIndex((cell) => !isNumber(cell) && !isMissing(cell));
  if (odd >= 0) throw new Unsuited(id, `“${cells[odd].slice(0, 40)}” in place ${odd + 1} is not a number such as 12.5.`);
  return found;
}

function stepsOf(text, width, id) {
  const lines = text.trim().split(/\n/).filter((line) => line.trim());
  if (!lines.length) throw new Unsuited(id, `Give one step a line, of ${width} number${width > 1 ? "s" : ""}.`);
  if (signature.longest && lines.length > signature.longest) throw new Unsuited(id, `${counted(lines.length, "step was", "steps were")} given. The model reads ${signature.longest} at most.`);
  return lines.map((line, i) => within(`Step ${i + 1}`, () => numbersOf(line, width, id)));
}

