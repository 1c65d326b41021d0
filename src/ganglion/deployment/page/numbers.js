
// stacks of numbers that training had in the form of pictures: windows of series, and the like

/** A field for rows of numbers in place of a picture; gives the function that reads them, null where there are none. */
function rowsField(input) {
  const [height, width] = sidesOf(input);
  const size = `${counted(height, "row")} of ${counted(width, "number")}`;
  const area = element("textarea", { id: "numbers", class: "rows", wrap: "off", spellcheck: "false", "aria-describedby": "numbers-hint" });
  const file = element("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv", id: "numbers-file" });
  const box = element("fieldset", { class: "field wide" }, element("legend", {}, "or numbers"),
    element("label", { for: "numbers" }, "The numbers themselves, in place of a picture"), area,
    element("small", { id: "numbers-hint" }, `${size}, with blanks or commas between them. What stands here is taken, and no picture.`),
    element("label", { for: "numbers-file", class: "spaced" }, "Or from a CSV file, which may be dropped here too"), file);
  $("fields").append(box);
  takesText(box, file, area);
  return () => (area.value.trim() ? rowsRead(area.value, height, width) : null);
}

function rowsRead(text, height, width) {
  const lines = text.trim().split("\n").filter((line) => line.trim());
  if (lines.length !== height) throw new Unsuited("numbers", `${counted(lines.length, "row was", "rows were")} given. Give ${height}, of ${counted(width, "number")} each.`);
  return lines.map((line, i) => within(`Row ${i + 1}`, () => numbersOf(line, width, "numbers").map((value) => [value])));
}
