// The page: what was typed and dropped -> requests -> what is shown. Each kind of request has one under way at most.

import { SNIPPETS } from "./copying.js";
import { element, shown } from "./elements.js";
import { drawEvidence, drawViews, sentence } from "./entities.js";
import { base64, covers, draw, light, prepared } from "./picture.js";
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
const [text, image, boxes, views, evidence] = ["text", "image", "boxes", "views", "evidence"].map(by);
const state = {
  model: null, // of the service
  picture: null, // {blob, name, note, sent}: sent is base64
  read: null, // the context as it was read
  context: null, // the same, as it is edited
  edited: false,
  row: null, // the latest answer
  pinned: null, // the span of an entity that stays lit
};
const jobs = { asking: new AbortController(), looking: new AbortController() };
let timer = 0;

// -- asking -----------------------------------------------------------------------------------------------------------

/** Do a kind of work, instead of what it was doing; what came too late is dropped, and a busy service asked again. */
async function replacing(kind, work) {
  jobs[kind].abort();
  const { signal } = (jobs[kind] = new AbortController());
  try {
    await work(signal);
  } catch (error) {
    if (signal.aborted) return;
    if (kind === "looking" && error.wait === null) say("The picture was not read.", false, state.picture?.note);
    failed(error, () => replacing(kind, work), signal);
  } finally {
    if (!signal.aborted && kind === "asking") by("work").hidden = true;
  }
}

/** Ask for the entities of what is on the page, after a pause in which more may be typed. */
function askSoon() {
  clearTimeout(timer);
  jobs.asking.abort();
  timer = setTimeout(ask, PAUSE);
}

function ask() {
  clearTimeout(timer);
  const said = text.value;
  if (!said.trim()) {
    jobs.asking.abort();
    state.row = null;
    message(null);
    drawRow();
    return;
  }
  by("work").hidden = false;
  replacing("asking", async (signal) => {
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
  if (state.context === null) return post;
  const pixels = state.model?.vision?.features && state.picture !== null && !state.edited;
  return { ...post, explain: true, ...(pixels ? { image: state.picture.sent } : { context: sentContext() }) };
}

function sentContext() {
  const context = structuredClone(state.context);
  for (const kind of ["captions", "ocr", "texts"]) {
    if (context[kind]) context[kind] = context[kind].filter((entry) => entry.text.trim());
  }
  return { ...context, status: "ok", ...(state.edited ? { edited: true } : {}) };
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

function take(file, sample = false) {
  replacing("looking", async (signal) => {
    forget();
    say("Opening the picture", true);
    let picture;
    try {
      picture = await prepared(file, state.model?.limits ?? { max_bytes: 16777216, max_pixels: 40000000 });
      picture.sent = await base64(picture.blob);
    } catch (error) {
      if (signal.aborted) return;
      say(error.message);
      ask();
      return;
    }
    if (signal.aborted) return;
    state.picture = picture;
    image.src = URL.createObjectURL(picture.blob);
    image.alt = `The picture ${shown(picture.name)}`;
    for (const id of ["shown", "other", "clear"]) by(id).hidden = false;
    by("drop").hidden = true;
    by("samples").hidden = !sample;
    await look(signal);
  });
}

/** Have the picture read, alone: so it is sent once, and words are answered in the meantime. */
async function look(signal) {
  const { note, sent } = state.picture;
  say("Reading the picture", true, note);
  ask();
  for (let tries = 0; ; tries += 1) {
    const row = await entities({ text: "", image: sent }, signal);
    if (signal.aborted) return;
    if (row.image_status === "timeout" && tries < TRIES) {
      say(STATUS.timeout, true, note);
      await new Promise((done) => setTimeout(done, LATE));
      if (signal.aborted) return;
      continue;
    }
    const why = row.reason && row.image_status !== "empty" ? ` (${shown(row.reason)})` : "";
    say((STATUS[row.image_status] ?? shown(row.image_status)) + why, false, note);
    if (row.image_status === "used" || row.image_status === "empty") takeContext(row.context ?? { image: "picture" });
    ask();
    return;
  }
}

function takeContext(context) {
  state.read = context;
  state.context = structuredClone(context);
  state.edited = false;
  drawContext();
}

function say(words, busy = false, note = "") {
  const place = by("picture-status");
  place.textContent = note ? `${words.replace(/\.?$/, ".")} ${note}` : words;
  place.classList.toggle("busy", busy);
}

function forget() {
  if (image.src) URL.revokeObjectURL(image.src);
  image.removeAttribute("src");
  Object.assign(state, { picture: null, read: null, context: null, edited: false });
  for (const id of ["shown", "other", "clear"]) by(id).hidden = true;
  for (const id of ["drop", "samples"]) by(id).hidden = false;
  by("file").value = "";
  say("");
  drawContext();
}

async function trySample(path) {
  try {
    const response = await fetch(path);
    if (!response.ok) throw new Refusal(0, "unreachable", "The service does not give its sample.");
    if (!text.value.trim()) text.value = "still thinking about Jackson";
    take(new File([await response.blob()], path.split("/").pop(), { type: "image/png" }), true);
  } catch (error) {
    message(error instanceof Refusal ? error.message : "The service does not answer. Is it still running?", true);
  }
}

// -- what was read ----------------------------------------------------------------------------------------------------

function drawContext() {
  drawReading(by("entries"), state.context, { changed, over: overEntry });
  by("restore").hidden = !state.edited;
  const empty = state.context === null || !by("entries").children.length;
  const hint = state.picture === null ? "A caption can stand for a picture." : "Nothing yet.";
  by("reading-hint").textContent = empty ? hint : "";
  drawBoxes();
}

function changed(words) {
  state.edited = true;
  by("restore").hidden = false;
  by("restore").textContent = state.read ? "Restore" : "Remove all";
  drawBoxes();
  if (words) by("summary").textContent = words;
  askSoon();
}

function addCaption(event) {
  event.preventDefault();
  const said = by("caption").value.trim();
  if (!said) return;
  state.context ??= { image: "picture", status: "ok" };
  const source = state.context.captions?.[0]?.source || state.model?.vision?.captioner;
  (state.context.captions ??= []).push({ text: said, ...(source ? { source } : {}) });
  by("caption").value = "";
  drawContext();
  changed("Added the caption.");
}

function restore() {
  state.context = state.read === null ? null : structuredClone(state.read);
  state.edited = false;
  drawContext();
  by("caption").focus();
  by("summary").textContent = "Restored what was read.";
  ask();
}

// -- lighting up ------------------------------------------------------------------------------------------------------

function drawBoxes() {
  draw(boxes, image, state.context, overEntry);
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
  const lit = line ? line.regions : [];
  if (line) by("main").style.setProperty("--lit", getComputedStyle(line).getPropertyValue("--c"));
  else by("main").style.removeProperty("--lit");
  light(boxes, lit.map((region) => region.box));
  for (const read of by("entries").querySelectorAll("li"))
    read.classList.toggle("lit", lit.some((region) => covers(region, read.entry)));
}

function spanOf(target) {
  return target instanceof Element ? (target.closest("[data-span]")?.dataset.span ?? null) : null;
}

/** Keep an entity lit, or none. */
function pin(name) {
  state.pinned = name;
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
    context: state.edited && state.context !== null ? sentContext() : null,
    image: state.picture?.name ?? null,
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
  if (state.picture !== null && state.read === null) replacing("looking", look);
  ask();
}

function transferred(event, files) {
  const file = [...files].find((each) => each.type.startsWith("image/")) ?? files[0];
  if (!file) return false;
  event.preventDefault();
  take(file);
  return true;
}

SNIPPETS.forEach(([name], at) => {
  const input = element("input", { type: "radio", name: "kind", value: String(at), checked: at === 0, change: drawSnippet });
  by("kinds").append(element("label", {}, input, name));
});
text.addEventListener("input", askSoon);
by("choose").addEventListener("click", () => by("file").click());
by("other").addEventListener("click", () => by("file").click());
by("file").addEventListener("change", () => by("file").files[0] && take(by("file").files[0]));
by("clear").addEventListener("click", () => {
  jobs.looking.abort();
  forget();
  ask();
  by("choose").focus();
});
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
image.addEventListener("load", drawBoxes);
image.addEventListener("error", () => {
  if (state.picture === null) return;
  by("shown").hidden = true;
  say("This browser cannot show the picture; the service may read it all the same.", false, state.picture.note);
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
drawContext();
drawRow();
start();
