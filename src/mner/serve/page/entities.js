// What the service says of a post: both views with what differs marked, and the evidence for each entity.

import { colour, element, number, shown } from "./elements.js";

const NOTICEABLE = 0.05; // least difference of two scores that is marked

const DID = {
  same: ["", "The picture hardly changed it."],
  raised: ["raised", "The picture raised its score."],
  lowered: ["lowered", "The picture lowered its score."],
  "only with the picture": ["gained", "Found only with the picture."],
  "lost with the picture": ["lost", "Lost with the picture."],
};
const KIND = { captions: "captions", tags: "objects", ocr: "text in the picture", texts: "other texts" };

const span = (entity) => `${entity.start}-${entity.end}`;

/** The entities of both views, each with its `change`: [class, words], or null where nothing changed. */
export function compared(alone, together) {
  const before = new Map(alone.map((entity) => [span(entity), entity]));
  const after = new Map(together.map((entity) => [span(entity), entity]));
  return {
    alone: alone.map((entity) => {
      const then = after.get(span(entity));
      return { ...entity, change: then ? null : ["lost", "lost"] };
    }),
    together: together.map((entity) => {
      const then = before.get(span(entity));
      const points = then ? Math.round(100 * entity.score) - Math.round(100 * then.score) : 0;
      let change = null;
      if (!then) change = ["gained", "new"];
      else if (then.label !== entity.label) change = ["changed", `was ${shown(then.label)}`];
      else if (Math.abs(entity.score - then.score) >= NOTICEABLE)
        change = points > 0 ? ["raised", `▲ ${points}`] : ["lowered", `▼ ${-points}`];
      return { ...entity, change };
    }),
  };
}

/** Draw the views of a row into `place`. */
export function drawViews(place, row) {
  const together = row.views["I+T"];
  place.classList.toggle("both", together !== null);
  if (together === null) {
    place.replaceChildren(view("Words alone", "T", row.text, row.entities.map((entity) => ({ ...entity, change: null }))));
    return;
  }
  const both = compared(row.views.T, together);
  place.replaceChildren(
    view("Words alone", "T", row.text, both.alone),
    view("With the picture", "I+T", row.text, both.together),
  );
}

function view(title, name, text, entities) {
  const points = Array.from(text); // offsets count code points
  const said = element("p", { class: "said", dir: "auto" });
  let at = 0;
  const plain = (end) => at < end && said.append(shown(points.slice(at, end).join("")));
  for (const entity of entities) {
    plain(entity.start);
    at = entity.end;
    said.append(
      element(
        "mark",
        { class: `${colour(entity.label)} ${entity.change?.[0] === "lost" ? "lost" : ""}`, "data-span": span(entity) },
        element("span", { class: "words" }, shown(points.slice(entity.start, entity.end).join(""))),
        element(
          "span",
          { class: "label" },
          shown(entity.label),
          element("span", { class: "score" }, number(entity.score)),
        ),
        entity.change ? element("span", { class: `change ${entity.change[0]}` }, entity.change[1]) : "",
      ),
    );
  }
  plain(points.length);
  const heading = element("h3", {}, title, element("small", {}, name));
  const nothing = entities.length ? "" : element("p", { class: "none hint" }, "No entity");
  return element("div", { class: "view" }, heading, said, nothing);
}

/** Draw one line of evidence for each entity of either view. */
export function drawEvidence(place, row) {
  const lines = row.evidence ?? row.entities.map((entity) => ({ ...entity, verdict: "no picture" }));
  place.replaceChildren(...lines.map((line) => evidence(line)));
}

function evidence(line) {
  const pictured = line.score_with_image !== undefined;
  const name = element(
    "button",
    { type: "button", "aria-pressed": "false" },
    shown(line.text),
    element("span", { class: "label" }, shown(line.label)),
  );
  const about = element("div", {});
  if (pictured) {
    about.append(bar("Words alone", line.score_without_image, "without"), bar("With the picture", line.score_with_image));
    about.append(did(line));
  } else {
    about.append(bar("Words alone", line.score_without_image ?? line.score));
  }
  const item = element("li", { class: colour(line.label), "data-span": span(line) }, name, about);
  item.regions = line.regions ?? [];
  return item;
}

function bar(name, score, kind = "") {
  const fill = element("span", { class: `fill ${kind}` });
  fill.style.width = `${(100 * score).toFixed(1)}%`;
  return element(
    "div",
    { class: "bar" },
    element("span", { class: "name" }, name),
    element("span", { class: "track" }, fill),
    element("span", { class: "value" }, number(score)),
  );
}

function did(line) {
  const [kind, words] =
    line.verdict === "label changed"
      ? ["changed", `The picture changed its label: ${shown(line.label_without_image ?? "")} → ${shown(line.label)}.`]
      : (DID[line.verdict] ?? ["", shown(line.verdict)]);
  const place = element("p", { class: "did" }, element("span", { class: kind ? `change ${kind}` : "" }, words));
  const left = Object.entries(line.score_without ?? {});
  if (left.some(([, score]) => Math.abs(score - line.score_with_image) >= NOTICEABLE)) {
    const parts = left.map(([source, score]) => `${number(score)} without the ${KIND[source] ?? shown(source)}`);
    place.append(element("span", {}, ` It would be ${parts.join(", ")}.`));
  }
  const without = (line.score_without_picture ?? []).map((score, at) => [score, at + 1]);
  const moving = without.filter(([score]) => Math.abs(score - line.score_with_image) >= NOTICEABLE);
  if (moving.length) {
    const parts = moving.map(([score, which]) => `${number(score)} without picture ${which}`);
    place.append(element("span", { class: "which" }, ` It would be ${parts.join(", ")}.`));
  }
  const places = line.regions?.length ? line.regions : (line.ocr ?? []); // texts may have no place
  if (places.length) {
    place.append(element("span", {}, " Also in the picture: "));
    places.forEach((each, at) => {
      const which = without.length ? `picture ${(each.picture ?? 0) + 1}` : "";
      const how = each.match ? [shown(each.match), number(each.score)] : [];
      const about = [which, ...how].filter(Boolean).join(", ");
      place.append(at ? ", " : "", element("q", {}, shown(each.text)), about ? ` (${about})` : "");
    });
    place.append(".");
  }
  return place;
}

/** The row in a sentence, for those who listen. */
export function sentence(row) {
  if (!row.entities.length) return "No entity.";
  const names = row.entities.map((entity) => `${shown(entity.text)}, ${shown(entity.label)}, ${number(entity.score)}`);
  const lost = (row.evidence ?? []).filter((line) => line.verdict === "lost with the picture").length;
  const count = `${names.length} ${names.length === 1 ? "entity" : "entities"}`;
  return `${count}: ${names.slice(0, 8).join("; ")}.${lost ? ` ${lost} lost with the picture.` : ""}`;
}
