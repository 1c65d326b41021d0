
// series: rows of steps, pasted, typed or from a file, as the windows that a forecaster reads

const axes = (name) => signature.inputs.find((input) => input.name === name)?.shape.slice(1) ?? [0, 0];

/** Text of rows → what the network takes of each series, under the name of each input, and `series`, what to tell of it. */
function windowsOf(text, id) {
  const tables = tablesOf(text, id);
  const windows = tables.map((table) => windowOf(table, id));
  const columns = { history: windows.map(({ history }) => history), series: tables.map(({ name, times, end }) => ({ name, times, end })) };
  return axes("ahead")[0] ? { ...columns, ahead: windows.map(({ ahead }) => ahead) } : columns;
}

/** Each series as { name, times, rows }: by the line of names, or without one by the order of training. */
function tablesOf(text, id) {
  const rows = cells(text.replace(/^\ufeff/, ""));
  if (!rows.length) throw new Unsuited(id, "There is no history: paste or type rows, one a step, or give a file.");
  const headed = !rows[0].some(isNumber) && !rows[0].every((cell) => cell.split(/\s+/).every(isNumber));
  if (headed) return tablesByName(rows[0].map((name) => name.trim()), rows.slice(1), id);
  const plain = rows.map((row) => (row.length === 1 ? row[0].trim().split(/\s+/) : row));
  const width = signature.columns.length;
  const odd = plain.findIndex((row) => row.length !== width);
  if (odd >= 0) {
    throw new Unsuited(id, `Row ${odd + 1} has ${counted(plain[odd].length, "value")}. Without a line of names, give ${counted(width, "value")} a row: ${signature.columns.join(", ")}.`);
  }
  return [{ name: "", times: null, rows: plain.map((row, i) => row.map((cell, k) => cellOf({ kind: "numeric", name: signature.columns[k] }, cell, i, id))) }];
}

function tablesByName(header, rows, id) {
  const { time, series, grid } = signature.series;
  const wanted = [...signature.columns, ...[time, series].filter(Boolean)];
  const lacking = wanted.filter((name) => !header.includes(name));
  if (lacking.length) throw new Unsuited(id, `The column${lacking.length > 1 ? "s" : ""} ${lacking.join(", ")} ${lacking.length > 1 ? "are" : "is"} missing. Given: ${header.slice(0, 20).join(", ")}.`);
  const read = (row, i, kind, name) => cellOf({ kind, name }, row[header.indexOf(name)] ?? "", i, id);
  const steps = rows.map((row, i) => ({
    name: series ? (row[header.indexOf(series)] ?? "").trim() : "",
    time: time ? timeOf(row[header.indexOf(time)] ?? "", i, id) : i,
    values: signature.columns.map((name) => read(row, i, "numeric", name)),
  }));
  if (!steps.length) throw new Unsuited(id, "There are names, but no rows. Give a row for each step.");
  return [...new Set(steps.map(({ name }) => name))].sort().map((name) => {
    const own = steps.filter((step) => step.name === name).sort((a, b) => a.time - b.time);
    if (time) refuseGaps(calledOf(name), grid, own.map((step) => step.time), id);
    return { name, times: time ? own.map((step) => step.time) : null, rows: own.map(({ values }) => values) };
  });
}

function timeOf(text, row, id) {
  const { time, grid } = signature.series, plain = text.trim();
  const found = grid.dated ? dateOf(plain) : isNumber(plain) ? Number(plain) : NaN;
  if (!Number.isNaN(found) || isMissing(plain)) return found;
  throw new Unsuited(id, `Row ${row + 1}, column ${time}: “${plain.slice(0, 40)}” is not ${grid.dated ? "a date such as 2024-03-31" : "a number such as 12"}.`);
}

const calledOf = (name) => (name ? `Series “${name}”` : "The series");

function refuseGaps(called, grid, times, id) {
  if (times.some(Number.isNaN)) throw new Unsuited(id, `${called} has a step without a time. Give one to each.`);
  const far = times.slice(1).map((time, i) => placesBetween(grid, times[i], time));
  const place = far.findIndex((n) => n !== 1);
  if (place < 0) return;
  const [one, other] = [times[place], times[place + 1]].map((time) => timeText(grid, time));
  throw new Unsuited(id, `${called} has ${far[place] > 1 ? "no step" : "several steps"} between ${one} and ${other}, where one after the other is wanted. Fill the gap first: this page fills none.`);
}

/** The steps that a history ends with, and what is known of those to come: rows whose targets are empty. */
function windowOf(table, id) {
  const [length, width] = axes("history"), { targets, fixed } = signature.series;
  const end = 1 + table.rows.findLastIndex((row) => row.slice(0, targets).some((value) => !Number.isNaN(value)));
  if (end < length) {
    throw new Unsuited(id, `${calledOf(table.name)} has ${counted(end, "step")} up to the last value of ${signature.columns.slice(0, targets).join(", ")}, but the model reads ${length}. Give a longer history.`);
  }
  table.end = end;
  const known = carried(table.rows.slice(0, end));
  const [horizon, k] = axes("ahead");
  const ahead = Array.from({ length: horizon }, (_, step) => {
    const row = (table.rows[end + step] ?? Array(width).fill(NaN)).slice(width - k);
    return row.map((value, i) => (i >= k - fixed ? known[end - 1][width - k + i] : value));
  });
  const step = ahead.findIndex((row) => row.some(Number.isNaN));
  if (step >= 0) {
    const name = signature.columns[width - k + ahead[step].findIndex(Number.isNaN)];
    throw new Unsuited(id, `${name} is told for ${counted(step, "step")} ahead of ${calledOf(table.name).toLowerCase()}, and ${horizon} are forecast. Give rows with its values below the history, and leave ${signature.columns.slice(0, targets).join(", ")} empty there.`);
  }
  return { history: known.slice(-length), ahead };
}

/** Steps in which a missing value repeats the last known one. */
function carried(rows) {
  let last = rows[0];
  return rows.map((row) => (last = row.map((value, i) => (Number.isNaN(value) ? last[i] : value))));
}

FORMS.history = () => {
  const { time, series, targets, fixed } = signature.series, [length] = axes("history"), [horizon, k] = axes("ahead");
  const names = [...[time, series].filter(Boolean), ...signature.columns].join(",");
  const forecast = signature.columns.slice(0, targets).join(", ");
  const known = signature.columns.slice(signature.columns.length - k, signature.columns.length - fixed).join(", ");
  const area = element("textarea", { id: "field-0", class: "rows", wrap: "off", spellcheck: "false", autocomplete: "off", "aria-describedby": "field-0-hint" });
  const file = element("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv", id: "series-file" });
  const alone = signature.columns.length > 1 ? `the numbers alone, in the order ${signature.columns.join(", ")}` : `the numbers of ${forecast} alone`;
  const plain = `Without that line: ${alone}${series ? ", of one series" : ""}.`;
  const ahead = known ? ` Below them ${horizon} rows of what is known ahead (${known}), in which ${forecast} is empty.` : "";
  const box = element("fieldset", { class: "field wide" }, element("legend", {}, "history"),
    element("label", { for: "field-0" }, "One step a row, the latest at the end"), area,
    element("small", { id: "field-0-hint" }, `At least ${counted(length, "step")}, after a line of names: `, element("code", {}, names), `.${ahead} ${plain}`),
    element("label", { for: "series-file", class: "spaced" }, "Or from a CSV file, which may be dropped here too"), file);
  $("fields").append(box);
  takesText(box, file, area);
  return () => windowsOf(area.value, "field-0");
};
