// The page: what was typed and dropped -> requests -> what is shown. Each kind of request has one under way at most.

import { SNIPPETS } from "./copying.js";
import { element, shown } from "./elements.js";
import { drawEvidence, drawViews, sentence } from "./entities.js";
import { base64, covers, draw, light, prepared } from "./picture.js";
import { drawThumbnails, place, together } from "./pictures.js";
import { drawReading } from "./reading.js";
import { entities, model, Refusal, useKey } from "./service.js";

const PAUSE = 150; // milliseconds without a key before the service is asked
const LATE = 2500; // milliseconds before a picture that was not read in time is asked for again
const TRIES = 20; // of these

const STATUS = {
  used: "The picture was read.",
  empty: "Nothing was found in the picture, so it changes nothing.",
  placeholder: "This is a placeholder that sites show for a missing picture; it was not used.",
  unreadable: "This file cannot be read as a picture.",
  missing: "The picture is missing.",
  too_large: "The picture is too large for the service.",
  timeout: "The picture was not read in time. The words alone are answered until it is.",
  disabled: "This model reads words alone; the picture was not used.",
};

const by = (id) => document.getElementById(id);
const [text, image, boxes, views, evidence, thumbs] = ["text", "image", "boxes", "views", "evidence", "thumbs"].map(by);
const state = {
  model: null, // of the service
  places: [place()], // of the pictures; of none one without
  at: 0, // the place that is shown
  taken: 0, // how often all pictures were replaced
  aside: null, // what is said of taking pictures, instead of the current one: words, whether it is under way
  row: null, // the latest answer
  pinned: null, // the span of an entity that stays lit
};
const asking = { controller: new AbortController() };
let timer = 0;

const current = () => state.places[state.at];

// -- asking -----------------------------------------------------------------------------------------------------------

/** Do the work of a place or of asking, instead of what it was doing; what came too late is dropped, and a busy service
 * asked again. */
async function replacing(owner, work) {
  owner.controller.abort();
  const { signal } = (owner.controller = new AbortController());
  try {
    await work(signal);
  } catch (error) {
    if (signal.aborted) return;
    if (owner !== asking && error.wait === null) say("The picture was not read.", false, owner.picture.note, owner);
    failed(error, () => replacing(owner, work), signal);
  } finally {
    if (!signal.aborted && owner === asking) by("work").hidden = true;
  }
}

/** Ask for the entities of what is on the page, after a pause in which more may be typed. */
function askSoon() {
  clearTimeout(timer);
  asking.controller.abort();
  timer = setTimeout(ask, PAUSE);
}

function ask() {
  clearTimeout(timer);
  const said = text.value;
  if (!said.trim()) {
    asking.controller.abort();
    state.row = null;
    message(null);
    drawRow();
    return;
  }
  by("work").hidden = false;
  replacing(asking, async (signal) => {
    const row = await entities(query(said), signal);
    if (signal.aborted) return;
    message(null);
    state.row = { ...row, views: row.views ?? { T: row.entities, "I+T": null } };
    drawRow();
  });
}

/** The request. A picture is read once; then what was read from it is sent, unless the model looks at pixels, too. */
function query(said) {
  const post = { text: said, views: ["T", "I+T"] };
  const context = together(state.places);
  if (context === null) return post;
  const pixels = state.model?.vision?.features && state.places.every((each) => each.picture !== null && !each.edited);
  const images = pixels ? { images: state.places.map((each) => each.picture.sent) } : { context };
  return { ...post, explain: true, ...images };
}

/** Say why the service did not answer; where it may be asked again, do so after a while, and count down. */
function failed(error, again, signal) {
  if (!(error instanceof Refusal)) {
    message(error.message, true);
    return;
  }
  if (error.status === 401) {
    by("key-form").hidden = false;
    by("key-hint").textContent = by("key").value ? "That was not the key." : "It stays in this page until you close it.";
    by("key").focus();
    return;
  }
  if (error.wait === null) {
    const retry = error.status === 0 || error.status >= 500;
    message(error.message, true, retry ? ["Try again", again] : null);
    return;
  }
  let left = error.wait;
  const step = () => {
    if (signal.aborted) return;
    if (left <= 0) {
      message(null);
      again();
      return;
    }
    message(`The service is busy. Asking again in ${left} s.`, false);
    left -= 1;
    setTimeout(step, 1000);
  };
  step();
}

function message(words, bad = false, action = null) {
  const place = by("message");
  place.hidden = words === null;
  place.classList.toggle("bad", bad);
  by("result").classList.toggle("old", words !== null);
  place.replaceChildren(words === null ? "" : shown(words));
  if (action) place.append(element("button", { type: "button", click: action[1] }, action[0]));
}

// -- the picture ------------------------------------------------------------------------------------------------------

/** Add pictures to those of the post; a sample replaces them. */
async function take(files, sample = false) {
  if (sample || current().picture === null) forget();
  const { taken } = state;
  const limits = state.model?.limits ?? {};
  const { max_bytes = 16777216, max_pixels = 40000000, max_pixels_other = 36000000, max_pictures = 16 } = limits;
  let refused = "";
  for (const file of files) {
    if (state.places.length >= max_pictures && current().picture !== null) {
      refused = `A post has at most ${max_pictures} pictures; the others were left out.`;
      break;
    }
    aside("Opening the picture", true);
    let picture;
    try {
      picture = await prepared(file, { max_bytes, max_pixels, max_pixels_other });
      picture.sent = await base64(picture.blob);
    } catch (error) {
      if (taken !== state.taken) return;
      refused = error.message;
      continue;
    }
    if (taken !== state.taken) return;
    if (current().picture !== null) state.places.push(place());
    state.at = state.places.length - 1;
    const own = current();
    Object.assign(own, { picture, url: URL.createObjectURL(picture.blob) });
    by("samples").hidden = !sample;
    state.aside = null;
    drawPicture();
    replacing(own, (signal) => look(own, signal));
  }
  if (refused) {
    aside(refused);
    ask();
  }
}

function aside(words, busy = false) {
  state.aside = [words, busy, ""];
  drawStatus();
}

/** Have a picture read, alone: so it is sent once, and words are answered in the meantime. */
async function look(own, signal) {
  const { note, sent } = own.picture;
  say("Reading the picture", true, note, own);
  ask();
  for (let tries = 0; ; tries += 1) {
    const row = await entities({ text: "", image: sent }, signal);
    if (signal.aborted) return;
    if (row.image_status === "timeout" && tries < TRIES) {
      say(STATUS.timeout, true, note, own);
      await new Promise((done) => setTimeout(done, LATE));
      if (signal.aborted) return;
      continue;
    }
    const why = row.reason && row.image_status !== "empty" ? ` (${shown(row.reason)})` : "";
    say((STATUS[row.image_status] ?? shown(row.image_status)) + why, false, note, own);
    if (row.image_status === "used" || row.image_status === "empty") {
      own.read = row.context ?? { image: "picture" };
      own.context = structuredClone(own.read);
      own.edited = false;
      if (own === current()) drawContext();
    }
    ask();
    return;
  }
}

function say(words, busy = false, note = "", own = current()) {
  own.said = [words, busy, note];
  if (own === current()) drawStatus();
}

function drawStatus() {
  const [words, busy, note] = state.aside ?? current().said;
  const which = state.places.length > 1 && words && !state.aside ? `Picture ${state.at + 1} of ${state.places.length}: ` : "";
  const line = by("picture-status");
  line.textContent = which + (note ? `${words.replace(/\.?$/, ".")} ${note}` : words);
  line.classList.toggle("busy", busy);
}

/** Show the picture of the current place, what was read from it, and the small pictures of all places. */
function drawPicture() {
  const { picture, url } = current();
  const none = picture === null;
  if (none) image.removeAttribute("src");
  else if (image.src !== url) image.src = url;
  image.alt = none ? "" : `The picture ${shown(picture.name)}`;
  for (const id of ["shown", "other", "clear"]) by(id).hidden = none;
  by("drop").hidden = !none;
  drawThumbnails(thumbs, state.places, state.at, { choose, remove });
  drawStatus();
  drawContext();
}

function choose(number) {
  const focused = thumbs.contains(document.activeElement);
  Object.assign(state, { at: number, aside: null });
  drawPicture();
  if (focused) thumbs.querySelectorAll(".thumb")[number]?.focus();
  if (state.pinned) overSpan(state.pinned);
}

/** Take one picture away. */
function remove(number) {
  state.aside = null;
  const [own] = state.places.splice(number, 1);
  own.controller.abort();
  URL.revokeObjectURL(own.url);
  if (!state.places.length) {
    forget();
    by("choose").focus();
  } else {
    state.at = Math.min(state.at > number ? state.at - 1 : state.at, state.places.length - 1);
    drawPicture();
    by("clear").focus();
  }
  ask();
}

function forget() {
  for (const own of state.places) {
    own.controller.abort();
    if (own.url) URL.revokeObjectURL(own.url);
  }
  Object.assign(state, { places: [place()], at: 0, taken: state.taken + 1, aside: null });
  by("samples").hidden = false;
  by("file").value = "";
  drawPicture();
}

async function trySample(path) {
  try {
    const response = await fetch(path);
    if (!response.ok) throw new Refusal(0, "unreachable", "The service does not give its sample.");
    if (!text.value.trim()) text.value = "Dallas was worth the wait";
    take([new File([await response.blob()], path.split("/").pop(), { type: "image/png" })], true);
  } catch (error) {
    message(error instanceof Refusal ? error.message : "The service does not answer. Is it still running?", true);
  }
}

// -- what was read ----------------------------------------------------------------------------------------------------

function drawContext() {
  const { picture, context, edited } = current();
  drawReading(by("entries"), context, { changed, over: overEntry });
  by("restore").hidden = !edited;
  const empty = context === null || !by("entries").children.length;
  const hint = picture === null ? "A caption can stand for a picture." : "Nothing yet.";
  by("reading-hint").textContent = empty ? hint : "";
  drawBoxes();
}

function changed(words) {
  current().edited = true;
  by("restore").hidden = false;
  by("restore").textContent = current().read ? "Restore" : "Remove all";
  drawBoxes();
  if (words) by("summary").textContent = words;
  askSoon();
}

function addCaption(event) {
  event.preventDefault();
  const said = by("caption").value.trim();
  if (!said) return;
  const context = (current().context ??= { image: "picture", status: "ok" });
  const source = context.captions?.[0]?.source || state.model?.vision?.captioner;
  (context.captions ??= []).push({ text: said, ...(source ? { source } : {}) });
  by("caption").value = "";
  drawContext();
  changed("Added the caption.");
}

function restore() {
  const own = current();
  own.context = own.read === null ? null : structuredClone(own.read);
  own.edited = false;
  drawContext();
  by("caption").focus();
  by("summary").textContent = "Restored what was read.";
  ask();
}

// -- lighting up ------------------------------------------------------------------------------------------------------

function drawBoxes() {
  draw(boxes, image, current().context, overEntry);
}

function overEntry(entry) {
  light(boxes, entry?.box ? [entry.box] : []);
  for (const line of by("entries").querySelectorAll("li")) line.classList.toggle("lit", entry !== null && line.entry === entry);
  if (entry === null && state.pinned) overSpan(state.pinned);
}

/** Light up an entity: its words in both views, its evidence, and the regions of the picture that show it. */
function overSpan(name) {
  for (const each of document.querySelectorAll("[data-span]")) each.classList.toggle("active", each.dataset.span === name);
  const line = name && evidence.querySelector(`li[data-span="${name}"]`);
  const regions = line ? line.regions : [];
  const lit = regions.filter((region) => (region.picture ?? 0) === state.at);
  if (line) by("main").style.setProperty("--lit", getComputedStyle(line).getPropertyValue("--c"));
  else by("main").style.removeProperty("--lit");
  light(boxes, lit.map((region) => region.box));
  [...thumbs.children].forEach((each, number) => {
    each.classList.toggle("lit", regions.some((region) => (region.picture ?? 0) === number));
  });
  for (const read of by("entries").querySelectorAll("li"))
    read.classList.toggle("lit", lit.some((region) => covers(region, read.entry)));
}

function spanOf(target) {
  return target instanceof Element ? (target.closest("[data-span]")?.dataset.span ?? null) : null;
}

/** Keep an entity lit, or none; its text may be in another picture than the one that is shown. */
function pin(name) {
  state.pinned = name;
  const regions = (name && evidence.querySelector(`li[data-span="${name}"]`)?.regions) || [];
  const pictures = regions.map((region) => region.picture ?? 0).filter((number) => number < state.places.length);
  if (pictures.length && !pictures.includes(state.at)) choose(pictures[0]);
  for (const line of evidence.children) {
    line.querySelector("button").setAttribute("aria-pressed", String(line.dataset.span === state.pinned));
  }
  overSpan(name);
}

// -- the answer -------------------------------------------------------------------------------------------------------

function drawRow() {
  const { row } = state;
  const focused = evidence.contains(document.activeElement) ? spanOf(document.activeElement) : null;
  by("code").hidden = row === null;
  if (row === null) {
    views.replaceChildren(element("p", { class: "none" }, "Nothing yet: type a post above."));
    views.classList.remove("both");
    evidence.replaceChildren();
    by("summary").textContent = "";
    return;
  }
  drawViews(views, row);
  drawEvidence(evidence, row);
  by("summary").textContent = sentence(row);
  if (state.pinned && !evidence.querySelector(`li[data-span="${state.pinned}"]`)) state.pinned = null;
  if (focused) evidence.querySelector(`li[data-span="${focused}"] button`)?.focus();
  if (state.pinned) {
    pin(state.pinned);
  } else if (!focused) overSpan(null);
  drawSnippet();
}

function drawSnippet() {
  if (state.row === null) return;
  const make = SNIPPETS[Number(document.querySelector("#kinds input:checked").value)][1];
  by("snippet").textContent = make({
    row: state.row,
    text: text.value,
    context: state.places.some((each) => each.edited) ? together(state.places) : null,
    images: state.places.filter((each) => each.picture !== null).map((each) => each.picture.name),
    address: new URL(".", document.baseURI).href.replace(/\/$/, ""),
    keyed: by("key").value !== "",
    model: state.model?.name,
  });
}

async function copy() {
  const words = by("snippet").textContent;
  let done = true;
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    const selection = getSelection(); // pages over plain HTTP have no clipboard
    selection.selectAllChildren(by("snippet"));
    done = document.execCommand("copy");
  }
  by("copy").textContent = done ? "Copied" : "Select it and copy";
  by("copied").textContent = done ? "Copied." : "It could not be copied; it is selected.";
  setTimeout(() => {
    by("copy").textContent = "Copy";
    by("copied").textContent = "";
  }, 2000);
}

// -- the start --------------------------------------------------------------------------------------------------------

async function start() {
  try {
    state.model = await model();
  } catch (error) {
    failed(error, start, new AbortController().signal);
    return;
  }
  by("key-form").hidden = true;
  message(null);
  const { name, labels, version } = state.model;
  by("model").textContent = shown(`${name} · ${labels.join(", ")} · mner ${version}`);
  for (const own of state.places) {
    if (own.picture !== null && own.read === null) replacing(own, (signal) => look(own, signal));
  }
  ask();
}

function transferred(event, files) {
  const pictures = [...files].filter((each) => each.type.startsWith("image/"));
  if (!files.length) return false;
  event.preventDefault();
  take(pictures.length ? pictures : [files[0]]);
  return true;
}

SNIPPETS.forEach(([name], at) => {
  const input = element("input", { type: "radio", name: "kind", value: String(at), checked: at === 0, change: drawSnippet });
  by("kinds").append(element("label", {}, input, name));
});
text.addEventListener("input", askSoon);
by("choose").addEventListener("click", () => by("file").click());
by("other").addEventListener("click", () => by("file").click());
by("file").addEventListener("change", () => {
  const files = [...by("file").files];
  by("file").value = ""; // so that the same file may be chosen again
  if (files.length) take(files);
});
by("clear").addEventListener("click", () => remove(state.at));
for (const button of document.querySelectorAll("[data-sample]")) {
  button.addEventListener("click", () => trySample(button.dataset.sample));
}
by("caption-form").addEventListener("submit", addCaption);
by("restore").addEventListener("click", restore);
by("copy").addEventListener("click", copy);
by("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(by("key").value);
  start();
});
image.addEventListener("load", () => {
  drawBoxes();
  if (state.pinned) overSpan(state.pinned);
});
image.addEventListener("error", () => {
  if (current().picture === null) return;
  by("shown").hidden = true;
  const [words, busy] = current().said;
  if (words && !busy) return; // the service has read it, or said why not
  say("This browser cannot show the picture; the service may read it all the same.", false, current().picture.note);
});

for (const place of [views, evidence]) {
  place.addEventListener("pointerover", (event) => event.pointerType !== "touch" && overSpan(spanOf(event.target) ?? state.pinned));
  place.addEventListener("pointerleave", () => overSpan(state.pinned));
  place.addEventListener("click", (event) => {
    const name = spanOf(event.target);
    if (name) pin(name === state.pinned ? null : name);
  });
}
evidence.addEventListener("focusin", (event) => overSpan(spanOf(event.target)));
evidence.addEventListener("focusout", () => overSpan(state.pinned));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.pinned) pin(null);
});

document.addEventListener("paste", (event) => event.clipboardData && transferred(event, event.clipboardData.files));
document.addEventListener("dragover", (event) => {
  if (![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  by("picture").classList.add("over");
});
document.addEventListener("dragleave", (event) => event.relatedTarget === null && by("picture").classList.remove("over"));
document.addEventListener("drop", (event) => {
  by("picture").classList.remove("over");
  transferred(event, event.dataTransfer.files);
});

// On a phone what was read follows the entities, so that these stay beside what is typed.
const narrow = matchMedia("(max-width: 760px)");
const arrange = () => (narrow.matches ? by("result").after(by("reading")) : by("picture").after(by("reading")));
narrow.addEventListener("change", arrange);
arrange();
drawPicture();
drawRow();
start();
