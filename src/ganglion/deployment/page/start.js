
// the page begins

const sample = (FORMS[signature.inputs[0].kind] ?? FORMS[signature.modality])();

$("form").onsubmit = async (event) => {
  event.preventDefault();
  complain(null);
  try {
    const columns = sample();
    $("state").textContent = "Answering …";
    await new Promise((go) => setTimeout(go)); // so that it is seen: nothing is drawn while the network runs
    const start = performance.now();
    const roles = await answer(columns);
    tell(roles, columns, performance.now() - start);
  } catch (error) {
    tellNothing(); // an answer to what stood there before would be taken for one to this
    complain(suited(error));
  } finally {
    $("state").textContent = "Ready.";
  }
};

/** What a user is told of an error: of one that the model raises, that it cannot be asked this. */
function suited(error) {
  if (error instanceof Unsuited) return error;
  console.error(error);
  return new Error(`The model could not answer this (${error.message}). Give something else, or ask it from Python.`);
}
$("form").addEventListener("reset", () => {
  complain(null);
  tellNothing();
});
if (signature.modality === "table" && signature.inputs.every((input) => input.kind !== "numbers")) {
  $("table").hidden = false;
  $("file").onchange = async () => {
    complain(null);
    $("rows").replaceChildren();
    try {
      if ($("file").files.length) tellTable(await answerTable(await textOf($("file").files[0], "file")));
    } catch (error) {
      complain(suited(error));
    }
  };
}
session.then(
  () => {
    $("submit").disabled = false;
    $("state").textContent = "Ready.";
  },
  (error) => {
    console.error(error);
    $("state").textContent = `This browser cannot run the model (${error.message}). Use a newer one: WebAssembly and DecompressionStream are needed.`;
  },
);
window.ganglion = {
  ...{ answer, answerTable, session, cut, wordFeeds, wordsIn, looksOf, windowsOf, dateOf, timeAfter, timeText },
  ...{ heard, brought, transcript },
};
