// The post's pictures: each with its file, what was read from it, and that as it is edited. One is shown at a time.

import { element, shown } from "./elements.js";

const KINDS = ["captions", "tags", "ocr", "texts"];

/** A place for a picture; one without a file has what stands for a picture. */
export function place() {
  return {
    picture: null, // {blob, name, note, sent}: sent is base64
    url: "", // of the blob
    read: null, // the context as it was read
    context: null, // the same, as it is edited
    edited: false,
    said: ["", false, ""], // the line below the picture: words, whether something is under way, a note
    controller: new AbortController(), // of reading it
  };
}

/** What goes to the service of one picture. */
function sent({ context, edited }) {
  const copy = structuredClone(context);
  for (const kind of ["captions", "ocr", "texts"]) {
    if (copy[kind]) copy[kind] = copy[kind].filter((entry) => entry.text.trim());
  }
  return { ...copy, status: "ok", ...(edited ? { edited: true } : {}) };
}

/** What goes to the service of all pictures, each entry with the number of its picture; null if nothing was read. */
export function together(places) {
  if (places.every((each) => each.context === null)) return null;
  if (places.length === 1) return sent(places[0]);
  const context = { image: "pictures", status: "ok" };
  places.forEach((each, number) => {
    if (each.context === null) return;
    const own = sent(each);
    if (own.edited) context.edited = true;
    for (const kind of KINDS) {
      const entries = (own[kind] ?? []).map((entry) => (number ? { ...entry, picture: number } : entry));
      if (entries.length) context[kind] = [...(context[kind] ?? []), ...entries];
    }
  });
  return context;
}

/** Draw a small picture for each place, where there are several; `on.choose(number)` and `on.remove(number)` are called. */
export function drawThumbnails(list, places, at, on) {
  list.hidden = places.length < 2;
  if (list.hidden) {
    list.replaceChildren();
    return;
  }
  list.replaceChildren(
    ...places.map((each, number) => {
      const name = `picture ${number + 1}, ${shown(each.picture.name)}`;
      return element(
        "li",
        {},
        element(
          "button",
          { type: "button", class: "thumb", "aria-label": `Show ${name}`, "aria-pressed": String(number === at), click: () => on.choose(number) },
          element("img", { src: each.url, alt: "" }),
          element("span", { class: "nth" }, String(number + 1)),
        ),
        element("button", { type: "button", class: "drop-entry", "aria-label": `Remove ${name}`, click: () => on.remove(number) }, "×"),
      );
    }),
  );
}
