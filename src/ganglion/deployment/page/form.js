
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

const counted = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
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
    const pad = drawingPad(input), sized = sidesOf(input).every((side) => typeof side === "number");
    const rows = input.dtype !== "uint8" && input.shape.at(-1) === 1 && sized ? rowsField(input) : () => null;
    return () => {
      const typed = rows();
      return { [input.name]: typed ? [typed] : pad.pixels() };
    };
  },
  audio() {
    const [input, length] = signature.inputs;
    const samples = recorder(input);
    return () => {
      const heard = Array.from(samples());
      return { [input.name]: [heard], [length.name]: [heard.length] };
    };
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

