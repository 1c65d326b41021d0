
// forecasts: of each series a chart, and a table of the steps to come

const SERIES_SHOWN = 5;
const level = (value) => `${Number((100 * value).toPrecision(4))} %`;

/** What is said of one target of one series: [{ step, time, value, ends }], ends as `signature.levels`. */
function stepsAhead(roles, i, target) {
  const several = signature.series.targets > 1;
  const of = (row) => (several ? row[target] : row);
  return roles.prediction[i].map((row, step) => ({ value: of(row), ends: roles.quantiles ? of(roles.quantiles[i][step]) : [] }));
}

SHOWS.forecasting = (roles, columns) => {
  const shown = columns.series.slice(0, SERIES_SHOWN);
  const parts = shown.flatMap((told, i) =>
    signature.columns.slice(0, signature.series.targets).flatMap((name, target) => {
      const ahead = stepsAhead(roles, i, target), past = columns.history[i].map((row) => row[target]);
      const title = told.name ? `${name} of ${told.name}` : name;
      return [element("h3", {}, title), forecastChart(title, past, ahead, nameOfStep(told)), forecastTable(title, ahead, told)];
    }),
  );
  const more = columns.series.length - shown.length;
  const all = forecastRows(roles, columns);
  const saved = element("p", {}, more > 0 ? `${counted(more, "more series", "more series")} in the file. ` : "", download("Save all as forecast.csv", "forecast.csv", all));
  return [...parts, saved];
};

/** What a step is called: by its time where times are known, else by its distance from the last known one, 0. */
function nameOfStep(told) {
  const { grid } = signature.series;
  if (!told.times) return (step) => (step > 0 ? `+${step}` : String(step));
  return (step) => timeText(grid, step > 0 ? timeAfter(grid, told.times[told.end - 1], step) : told.times[told.end - 1 + step]);
}

function forecastChart(title, past, ahead, textOf) {
  const { levels } = signature, band = ahead[0].ends.length > 1;
  const recent = past.slice(-Math.max(24, 3 * ahead.length));
  const label = `Chart of ${title}: ${counted(recent.length, "known step")}, then ${counted(ahead.length, "forecast step")} from ${figure(ahead[0].value)} to ${figure(ahead.at(-1).value)}`;
  const keys = [["past", "what was"], ["ahead", "forecast"], ...(band ? [["band", `${level(levels[0])} to ${level(levels.at(-1))} of what may come`]] : [])];
  const key = element("ul", { class: "keys" }, ...keys.map(([kind, text]) => element("li", {}, keyOf(kind), text)));
  const width = Math.max(280, Math.round($("answer").clientWidth));
  return element("div", {}, chart({ past: recent, ahead: ahead.map(({ value }) => value), band: band ? ahead.map(({ ends }) => [ends[0], ends.at(-1)]) : null, textOf, width, label }), key);
}

const keyOf = (kind) =>
  drawn("svg", { viewBox: "0 0 26 12", width: 26, height: 12, "aria-hidden": "true", class: "chart" },
    kind === "band" ? drawn("rect", { width: 26, height: 12, class: "band" }) : drawn("path", { d: "M0 6L26 6", class: kind }));

/** Levels that are shown beside a forecast: the middle is the forecast itself. */
const besides = () => signature.levels.map((value, i) => [value, i]).filter(([value]) => value !== 0.5);

function forecastTable(title, ahead, told) {
  const textOf = nameOfStep(told);
  const head = ["step", ...(told.times ? [signature.series.time] : []), "forecast", ...(ahead[0].ends.length ? besides().map(([value]) => level(value)) : [])];
  const rows = ahead.map(({ value, ends }, i) => [String(i + 1), ...(told.times ? [textOf(i + 1)] : []), figure(value), ...(ends.length ? besides().map(([, k]) => figure(ends[k])) : [])]);
  return tabled(`forecast of ${title}`, head, rows, "figures");
}

/** All forecasts as rows of a CSV file, under the names that `ganglion predict` has, with times where they are known. */
function forecastRows(roles, columns) {
  const targets = signature.columns.slice(0, signature.series.targets), timed = columns.series[0].times, several = columns.series[0].name;
  const levels = roles.quantiles ? signature.levels : [];
  const head = [...(several ? [signature.series.series] : []), "step", ...(timed ? [signature.series.time] : []), ...targets.flatMap((name) => [name, ...levels.map((value) => `${name}_${value}`)])];
  const rows = columns.series.flatMap((told, i) =>
    roles.prediction[i].map((_, step) => [
      ...(several ? [told.name] : []), step + 1, ...(timed ? [nameOfStep(told)(step + 1)] : []),
      ...targets.flatMap((_, target) => [stepsAhead(roles, i, target)[step]].flatMap(({ value, ends }) => [value, ...ends])),
    ]),
  );
  return [head, ...rows];
}
