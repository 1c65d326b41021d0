
// files of text, read as Python reads them

const CONTROL = /[\0-\x08\x0e-\x1a\x1c-\x1f]/; // what no text has

/** The text of a file: UTF-8, UTF-16 with a mark, or Latin-1 where it is neither. */
async function textOf(blob, id) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const mark = { 0xfffe: "utf-16le", 0xfeff: "utf-16be" }[(bytes[0] << 8) | bytes[1]] ?? "utf-8";
  const text = decodedText(bytes, mark);
  if (CONTROL.test(text)) throw new Unsuited(id, `${blob.name ?? "This"} is no text that can be read. Give a CSV file.`);
  return text;
}

function decodedText(bytes, encoding) {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }
}

/** Let a file, chosen or dropped on a part of the page, become the text of a field. */
function takesText(box, file, area) {
  const take = async (blob) => {
    complain(null);
    try {
      area.value = await textOf(blob, file.id);
    } catch (error) {
      complain(error);
    }
  };
  file.onchange = () => file.files.length && take(file.files[0]);
  dropped(box, take);
}
