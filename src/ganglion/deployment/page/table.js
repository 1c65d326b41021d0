
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
  const shown = roles.label ? named : figure;
  const main = (roles.label ?? roles.prediction ?? roles.codes).map((value) => [value].flat().map(shown).join(" "));
  const sure = roles.probabilities && !signature.multilabel ? roles.probabilities.map((each) => Math.max(...each)) : null;
  const answerName = signature.target ? `predicted ${signature.target}` : "predicted";
  const head = [answerName, ...(sure ? ["probability"] : []), ...header];
  const told = (i) => [main[i], ...(sure ? [sure[i].toFixed(4)] : []), ...rows[i]];
  const all = [head, ...rows.map((_, i) => told(i))].map((row) => row.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(","));
  const link = element("a", { download: "answers.csv", href: URL.createObjectURL(new Blob([all.join("\n") + "\n"], { type: "text/csv" })) }, "Save all as answers.csv");
  const lines = rows.slice(0, SHOWN_ROWS).map((_, i) => element("tr", {}, ...told(i).map((cell) => element("td", {}, cell))));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))), element("tbody", {}, ...lines));
  $("rows").replaceChildren(element("p", {}, `${rows.length.toLocaleString("en")} rows were answered${rows.length > SHOWN_ROWS ? `; the first ${SHOWN_ROWS} are shown` : ""}. `, link),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "answers" }, table));
}

