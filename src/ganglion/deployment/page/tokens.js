
// texts, cut as Python cuts them

const INSIDE = "[\\p{L}\\p{N}_\\p{M}\\u200c\\u200d]*";
const BLANK = "\\p{White_Space}\\x1c-\\x1f"; // what counts as blank in Python
const WORDS = new RegExp(`[\\p{L}\\p{N}_]${INSIDE}(?:['’][\\p{L}\\p{N}_]${INSIDE})*|[^\\p{L}\\p{N}_${BLANK}]`, "gu");
// GPT-2's: letters, digits and marks apart, each with the blank before it
const BEFORE_BYTES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const IDEOGRAPHS = /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
const MARKS = /[!-/:-@[-`{-~\p{P}]|[^\p{White_Space}!-/:-@[-`{-~\p{P}]+/gu;
const PRINTABLE = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
const BYTES = []; // the character that each byte is written as
for (let byte = 0, n = 256; byte < 256; byte++) BYTES.push(String.fromCharCode(PRINTABLE(byte) ? byte : n++));

const CUTS = {
  words: (text) => text.match(WORDS) ?? [],
  characters: (text) => Array.from(text),
  bpe: (text, tokenizer) => (text.match(BEFORE_BYTES) ?? []).flatMap((word) => joinedBytes(word, tokenizer)),
  wordpiece: (text, tokenizer) => plainWords(text).flatMap((word) => piecesOf(word, tokenizer)),
};

/** Ids of the tokens of a text, none of them special. */
function cut(text, tokenizer) {
  tokenizer.known ??= new Map(tokenizer.vocabulary.map((token, i) => [token, i]));
  tokenizer.ranks ??= new Map((tokenizer.merges ?? []).map((pair, i) => [pair.join(" "), i]));
  const whole = (tokenizer.lowercase ? text.toLowerCase() : text).replace(/\p{Surrogate}/gu, "?");
  return CUTS[tokenizer.tokenizer](whole, tokenizer).map((token) => tokenizer.known.get(token) ?? signature.unknown);
}

/** A word as bytes, of which the pair of neighbours that was learned first is joined, again and again. */
function joinedBytes(word, { ranks }) {
  const parts = Array.from(new TextEncoder().encode(word), (byte) => BYTES[byte]);
  for (;;) {
    let best = Infinity, where = -1;
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
      if (rank < best) [best, where] = [rank, i];
    }
    if (where < 0) return parts;
    parts.splice(where, 2, parts[where] + parts[where + 1]);
  }
}

/** BERT's words: no control characters, ideographs and marks of punctuation each by itself. */
const plainWords = (text) =>
  text.replace(/[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}]/gu, "").replace(IDEOGRAPHS, " $& ").match(MARKS) ?? [];

/** The longest piece that is known from the left, again and again; one unknown token if that does not reach the end. */
function piecesOf(word, { known }) {
  const letters = Array.from(word), pieces = [];
  if (letters.length > 100) return ["<unk>"];
  for (let start = 0, end; start < letters.length; start = end) {
    const inside = start ? "##" : "";
    for (end = letters.length; end > start && !known.has(inside + letters.slice(start, end).join("")); end--);
    if (end === start) return ["<unk>"];
    pieces.push(inside + letters.slice(start, end).join(""));
  }
  return pieces;
}

function idsOf(text, id) {
  const ids = cut(text, signature.tokenizer);
  if (!ids.length) throw new Unsuited(id, "There is nothing to read: write a text.");
  return signature.longest ? ids.slice(0, signature.longest) : ids;
}
