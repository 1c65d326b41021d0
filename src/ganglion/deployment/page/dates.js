
// dates and steps of time, read and counted as Python does

const TIME = "(?:[T ] ?(?<time>\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,9})?)?) ?(?<zone>Z|UTC|[+-]\\d{2}:?\\d{2})?)?";
const DATES = [
  "(?<year>\\d{4})-(?<month>\\d{2})(?:-(?<day>\\d{2}))?",
  "(?<year>\\d{4})/(?<month>\\d{1,2})/(?<day>\\d{1,2})",
  "(?<day>\\d{1,2})\\.(?<month>\\d{1,2})\\.(?<year>\\d{4})",
  "(?<month>\\d{1,2})/(?<day>\\d{1,2})/(?<year>\\d{4})",
  "(?<day>\\d{1,2})/(?<month>\\d{1,2})/(?<year>\\d{4})",
].map((date) => new RegExp(`^${date}${TIME}$`));
const DAY = 86400;
const modulo = (a, b) => ((a % b) + b) % b;

function halfToEven(value) {
  const whole = Math.floor(value);
  return value - whole === 0.5 ? whole + Math.abs(whole % 2) : Math.round(value);
}

/** A date → seconds since 1970-01-01 UTC; NaN if it is none, or its month and day could be swapped. */
function dateOf(text) {
  const [found = NaN, ...others] = DATES.map((date) => secondsOf(text.match(date)?.groups)).filter((value) => !Number.isNaN(value));
  return others.every((other) => other === found) ? found : NaN;
}

function secondsOf(parts) {
  if (!parts) return NaN;
  const day = [parts.year, parts.month.padStart(2, "0"), (parts.day ?? "01").padStart(2, "0")].join("-");
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return NaN; // the 31st of April
  const [hours, minutes, seconds = 0] = (parts.time ?? "00:00").split(":").map(Number);
  if (hours > 23 || minutes > 59 || seconds >= 60) return NaN;
  const [, sign, far, rest] = parts.zone?.match(/([+-])(\d{2}):?(\d{2})/) ?? [0, "+", 0, 0];
  return midnight / 1000 + hours * 3600 + minutes * 60 + seconds - Number(`${sign}1`) * (far * 3600 + rest * 60);
}

const monthsOf = (time) => 12 * (new Date(time * 1000).getUTCFullYear() - 1970) + new Date(time * 1000).getUTCMonth();
const midnightOf = (months, day) => Date.UTC(1970, months, day) / 1000;

/** The number of days from Monday to Friday before a time, counted from the Monday of 1970's first week. */
function weekdaysOf(time) {
  const days = Math.floor(time / DAY) + 3; // 1970-01-01 was a Thursday
  return Math.floor(days / 7) * 5 + modulo(days, 7);
}

/** How many places of a grid lie between two times; 1 from one to the next. */
function placesBetween(grid, one, other) {
  if (grid.unit === "rows") return 1;
  if (grid.unit === "months") return Math.floor((monthsOf(other) - monthsOf(one)) / Math.round(grid.step));
  if (grid.unit === "weekdays") return weekdaysOf(other) - weekdaysOf(one);
  return halfToEven((other - one) / grid.step);
}

/** The time that is so many places after another. */
function timeAfter(grid, last, n) {
  if (grid.unit === "months") return monthsAfter(last, n * Math.round(grid.step));
  if (grid.unit !== "weekdays") return last + grid.step * n;
  const place = weekdaysOf(last) + n;
  return (Math.floor(place / 5) * 7 + modulo(place, 5) - 3) * DAY + modulo(last, DAY);
}

/** The same day of a later month, or its last one where that of now is the last or is not there. */
function monthsAfter(last, n) {
  const month = monthsOf(last), day = new Date(last * 1000).getUTCDate();
  const lengthOf = (of) => new Date(midnightOf(of + 1, 0) * 1000).getUTCDate();
  const wanted = day === lengthOf(month) ? lengthOf(month + n) : Math.min(day, lengthOf(month + n));
  return midnightOf(month + n, wanted) + modulo(last, DAY);
}

/** A time as people write it. */
function timeText(grid, time) {
  if (!grid.dated) return figure(time);
  const whole = time % DAY === 0 && (["months", "weekdays"].includes(grid.unit) || grid.step % DAY === 0);
  return new Date(Math.round(time * 1000)).toISOString().slice(0, whole ? 10 : 19).replace("T", " ");
}
