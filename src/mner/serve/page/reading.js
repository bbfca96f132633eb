// What was read from the picture: shown, and open to be changed.

import { element, number, shown } from "./elements.js";
import { words } from "./picture.js";

const KINDS = [
  ["captions", "Captions", "caption"],
  ["tags", "Objects", "object"],
  ["ocr", "Text in the picture", "line"],
  ["texts", "Other texts", "text"],
];

/** Draw a context into `place`.
 *
 * `on.changed(words)` is called after each change, with what happened where it is worth saying; `on.over(entry)` with
 * the entry that is pointed at or has the focus, or null. */
export function drawReading(place, context, on) {
  place.replaceChildren();
  for (const [kind, title, name] of KINDS) {
    const entries = context?.[kind] ?? [];
    if (!entries.length) continue;
    const list = element("ul", { class: kind === "tags" ? "chips" : "" });
    for (const entry of entries) list.append(item(place, context, kind, name, entry, on));
    place.append(element("div", { "data-kind": kind }, element("h3", {}, title), list));
  }
}

function item(place, context, kind, name, entry, on) {
  const said = words(entry);
  const line = element("li", {
    pointerenter: () => on.over(entry),
    pointerleave: () => on.over(null),
    focusin: () => on.over(entry),
    focusout: () => on.over(null),
  });
  line.entry = entry;
  if (kind === "tags") {
    line.append(shown(said));
  } else {
    const input = element("input", { value: said, dir: "auto", spellcheck: false, "aria-label": `Change this ${name}` });
    input.addEventListener("input", () => {
      entry.text = input.value;
      on.changed("");
    });
    line.append(input);
  }
  const sure = entry.confidence;
  if (typeof sure === "number") line.append(element("span", { class: "sure", title: "How sure the reader is" }, number(sure)));
  const remove = element("button", { type: "button", class: "drop-entry", "aria-label": `Remove the ${name} ${shown(said)}` }, "×");
  remove.addEventListener("click", () => {
    const at = context[kind].indexOf(entry);
    const all = [...place.querySelectorAll(".drop-entry")];
    const before = all.indexOf(remove);
    context[kind].splice(at, 1);
    on.over(null);
    drawReading(place, context, on);
    const left = [...place.querySelectorAll(".drop-entry")];
    (left[Math.min(before, left.length - 1)] ?? document.getElementById("caption")).focus();
    on.changed(`Removed the ${name} ${shown(words(entry))}.`);
  });
  line.append(remove);
  return line;
}
