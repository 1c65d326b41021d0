
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
    signature.inputs.forEach((input, i) => (columns[input.name] = some.map((row, k) => cellOf(input, row[places[i]] ?? "", start + k, "file"))));
    for (const [role, values] of Object.entries(await answer(columns))) (joined[role] ??= []).push(...values);
  }
  return [header, rows, joined];
}

const cellOf = (input, text, row, id) => within(`Row ${row + 1}, column ${input.name}`, () => valueOf(input, text, id));

function tellTable([header, rows, roles]) {
  const all = answered(header, rows, roles, String), shown = answered(header, rows.slice(0, SHOWN_ROWS), roles, figure);
  const told = `${counted(rows.length, "row was", "rows were")} answered${rows.length > SHOWN_ROWS ? `; the first ${SHOWN_ROWS} are shown` : ""}. `;
  $("rows").replaceChildren(element("p", {}, told, download("Save all as answers.csv", "answers.csv", all)), tabled("answers", shown[0], shown.slice(1)));
}

/** Rows with what is said of them, after a line of names: answers first, codes last; `text` writes numbers. */
function answered(header, rows, roles, text) {
  const answers = answerColumns(roles, text);
  const codes = roles.codes?.[0].map((_, k) => [`code ${k}`, roles.codes.map((code) => text(code[k]))]) ?? [];
  const names = (columns) => columns.map(([name]) => name), cellsOf = (columns, i) => columns.map(([, values]) => values[i]);
  const lines = rows.map((row, i) => [...cellsOf(answers, i), ...header.map((_, k) => row[k] ?? ""), ...cellsOf(codes, i)]);
  return [[...names(answers), ...header, ...names(codes)], ...lines];
}

/** What is said of rows, as columns: [name, cells]. */
function answerColumns(roles, text) {
  const labels = roles.label?.map((label) => (OUTLIERS ? outlierOf(label) : [label].flat().map(named).join(" ")));
  const numbers = roles.prediction?.map((value) => [value].flat().map(text).join(" "));
  const sure = roles.probabilities && !signature.multilabel ? roles.probabilities.map((each) => Math.max(...each).toFixed(4)) : null;
  const name = signature.target ? `predicted ${signature.target}` : "predicted";
  return [[name, labels ?? numbers], ["probability", sure], ["score", roles.score?.map(text)]].filter(([, values]) => values);
}

/** Rows of cells as a table that scrolls by itself, by keys too. */
function tabled(label, head, rows, kind = "") {
  const lines = rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell))));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))), element("tbody", {}, ...lines));
  return element("div", { class: `scroll ${kind}${rows.length > 24 ? " long" : ""}`, tabindex: "0", role: "region", "aria-label": label }, table);
}

/** A link that saves rows of cells as a CSV file. */
function download(text, name, rows) {
  const lines = rows.map((row) => row.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(","));
  return element("a", { download: name, href: URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" })) }, text);
}

