
// what is told

function complain(error) {
  document.querySelectorAll(".error").forEach((each) => each.remove());
  document.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
  if (!error) return;
  const control = error.field ? $(error.field) : null;
  const message = element("p", { class: "error", role: "alert" }, error.message);
  if (!control) return void $("form").append(message);
  control.setAttribute("aria-invalid", "true");
  control.insertAdjacentElement("afterend", message);
  control.focus();
}

function tellNothing() {
  $("answer").replaceChildren(element("p", { class: "soft" }, "None yet."));
}

const named = (value) => (signature.class_kind === "bool" ? (value ? "True" : "False") : String(value));
const percent = (value) => `${(100 * value).toFixed(1)} %`;
const figure = (value) => (Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(3) : String(Number(value.toPrecision(5))));

/** What is shown of the answer to one row, by task; another than these is not made into a page. */
const SHOWS = {
  classification(roles) {
    const label = signature.multilabel
      ? signature.classes.filter((_, i) => roles.label[0][i]).map(named).join(", ") || "none of the labels"
      : named(roles.label[0]);
    return [headline(label), ...(roles.probabilities ? [chances(roles.probabilities[0])] : [])];
  },
  regression(roles) {
    const values = [roles.prediction[0]].flat().map(figure).join(", ");
    return [headline(roles.deviation ? `${values} ± ${[roles.deviation[0]].flat().map(figure).join(", ")}` : values)];
  },
  segmentation: (roles) => mask(roles.label[0]),
  detection: boxes,
  reconstruction(roles) {
    const usual = `How usual it is: ${figure(roles.score[0])}; below 0 it is an outlier.`;
    return [headline(outlierOf(roles.label[0])), element("p", {}, usual), codes(roles.codes[0])];
  },
  generation: (roles) => [codes(roles.codes[0])],
};

const OUTLIERS = signature.task === "reconstruction";
const outlierOf = (label) => (label < 0 ? "an outlier" : "usual");
const headline = (text) => element("p", { class: "label" }, (signature.target ? `${signature.target}: ` : "") + text);
const codes = (values) => element("p", {}, `Its code: ${values.map(figure).join(", ")}`);

function tell(roles, columns, milliseconds) {
  const time = element("p", { class: "soft" }, `Answered in ${milliseconds.toFixed(1)} ms on this device.`);
  $("answer").replaceChildren(...SHOWS[signature.task](roles, columns), time);
  $("answer").scrollIntoView({ block: "nearest" });
}

function chances(probabilities) {
  const order = probabilities.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
  const items = order.slice(0, SHOWN).map((i) => {
    const filled = element("i");
    filled.style.width = percent(probabilities[i]).replace(" ", "");
    return element("li", {}, element("b", {}, named(signature.classes[i])), element("span", {}, percent(probabilities[i])), element("div", { class: "bar", "aria-hidden": "true" }, filled));
  });
  const list = element("ul", { class: "chances", "aria-label": "probabilities" }, ...items);
  if (order.length > SHOWN) list.append(element("li", { class: "soft" }, `${order.length - SHOWN} more classes are less likely.`));
  return list;
}

