
// words of a text, each with its label; and steps of a sequence

const SPLIT = new RegExp(`[${BLANK}]+`, "u");
const [SUFFIXES, PREFIXES] = [4, 3]; // letters at most
const END_MARKS = /^(.*[^.,;:!?])([.,;:!?])$/u;

const wordsIn = (text) => text.split(SPLIT).filter(Boolean);

function numberedLooks(tokenizer) {
  let next = 2;
  return (tokenizer.ids ??= tokenizer.vocabularies.map((known) => new Map(known.map((name) => [name, next++]))));
}

/** What a word looks like: "Xx-x" of "Well-known", "d" of "1984", "X.X." of "U.S.". */
const shapeOf = (word) =>
  word.replace(/[\p{L}\p{Nl}\p{No}]+/gu, cased).replace(/\p{Nd}+/gu, "d").replace(/([^\p{L}\p{N}_])\1+/gu, "$1");

function cased(letters) {
  if (letters.toLowerCase() === letters) return "x";
  const [first, ...rest] = Array.from(letters), others = rest.join("");
  const [small, large, titled] = [/\p{Lowercase}/u, /\p{Uppercase}/u, /\p{Lt}/u];
  const begins = large.test(first) ? "X" : "x";
  if (large.test(letters) && !small.test(letters) && !titled.test(letters)) return begins;
  return begins + (small.test(others) && !large.test(others) && !titled.test(others) ? "x" : "Xx");
}

/** The features of a word, "" where there is none: itself, its ends, its beginnings, its shape. */
function looksOf(word) {
  const letters = Array.from(word.toLowerCase());
  const ends = Array.from({ length: SUFFIXES }, (_, k) => (letters.length > k + 1 ? letters.slice(-k - 1).join("") : ""));
  const begins = Array.from({ length: PREFIXES }, (_, k) => (letters.length > k + 1 ? letters.slice(0, k + 1).join("") : ""));
  return [letters.join(""), ...ends, ...begins, shapeOf(word)];
}

/** Lists of words → what the network takes. */
function wordFeeds(lists) {
  const ids = numberedLooks(signature.tokenizer), longest = Math.max(...lists.map((words) => words.length));
  const idsOf = (word) => looksOf(word).map((look, i) => ids[i].get(look) ?? (i ? 0 : signature.unknown));
  const nothing = Array(ids.length).fill(0);
  const [{ name }, length] = signature.inputs;
  return { [name]: lists.map((words) => Array.from({ length: longest }, (_, i) => (i < words.length ? idsOf(words[i]) : nothing))), [length.name]: lists.map((words) => words.length) };
}

/** "barked." → "barked" and ".", where training had such marks as words and never met the two as one. */
function apart(word) {
  const known = numberedLooks(signature.tokenizer)[0];
  const [, stem, mark] = word.match(END_MARKS) ?? [];
  return mark && known.has(mark) && !known.has(word.toLowerCase()) ? [...apart(stem), mark] : [word];
}

FORMS.words = () => {
  const marks = [".", ","].filter((mark) => numberedLooks(signature.tokenizer)[0].has(mark));
  const area = field("field-0", "text", "Words with blanks between them.", element("textarea"), true);
  const splits = element("input", { type: "checkbox", id: "apart" });
  if (marks.length) area.parentElement.append(element("label", { class: "check", for: "apart" }, splits, `set ${marks.join(" and ")} at the end of a word apart, as in training`));
  return () => {
    const words = wordsIn(area.value).flatMap((word) => (splits.checked ? apart(word) : [word]));
    if (!words.length) throw new Unsuited("field-0", "There is nothing to read: write a text.");
    return { ...wordFeeds([words]), shown: words };
  };
};

/** Each word, or step, with its label below it and how sure that is; then how often each label stands there. */
SHOWS.tagging = (roles, { shown }) => {
  const places = new Map(signature.classes.map((label, place) => [label, place]));
  const labels = roles.label[0];
  const words = labels.map((label, i) => {
    const word = shown?.[i] ?? `step ${i + 1}`, sure = roles.probabilities ? Math.max(...roles.probabilities[0][i]) : null;
    const tag = element("span", { class: "tag" }, swatchOf(places.get(label)), named(label));
    return element("li", {}, element("b", {}, word), tag, ...(sure === null ? [] : [element("small", {}, percent(sure))]));
  });
  const counts = signature.classes.map((label, place) => [place, named(label), labels.filter((each) => each === label).length]);
  const found = counts.filter(([, , n]) => n).sort((a, b) => b[2] - a[2]);
  const key = found.map(([place, name, n]) => element("li", {}, element("span", {}, swatchOf(place), name), element("b", {}, `${n} ×`)));
  const what = shown ? "words" : "steps";
  return [element("ol", { class: "words", "aria-label": `${what} with their labels` }, ...words), element("ul", { class: "keys", "aria-label": "how often each label stands there" }, ...key)];
};
