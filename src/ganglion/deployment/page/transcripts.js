
// what is said in recordings: ids of tokens as a text, put together as Python does

const SILENT = [0, 2, 3]; // ids of tokens that say nothing

const JOINS = {
  characters: (tokens) => tokens.join(""),
  words: (tokens) => tokens.join(" "),
  wordpiece: (tokens) => tokens.join(" ").replaceAll(" ##", ""),
  bpe: (tokens) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(tokens.flatMap(bytesOf))),
};

function bytesOf(token) {
  const bytes = Array.from(token, (letter) => BYTES.indexOf(letter));
  return bytes.includes(-1) ? Array.from(new TextEncoder().encode(token)) : bytes;
}

function transcript(ids, { tokenizer, vocabulary }) {
  const tokens = ids.filter((id) => !SILENT.includes(id)).map((id) => (id === signature.unknown ? "\ufffd" : vocabulary[id]));
  return JOINS[tokenizer](tokens).replace(new RegExp(`^[${BLANK}]+|[${BLANK}]+$`, "gu"), "");
}

SHOWS.speech_recognition = (roles) => [headline(transcript(roles.tokens[0], signature.tokenizer) || "nothing was understood")];
