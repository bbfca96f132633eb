// A picture: made small enough for the service, shown, with boxes over it.

import { element, shown } from "./elements.js";

const SVG = "http://www.w3.org/2000/svg";
const BOXES = 40; // objects that are drawn, at most

/** A file as it is sent: `blob`, its `name`, and in `note` what was done to it.
 * One that this browser cannot decode is sent as it is, if it is small enough. */
export async function prepared(file, limits) {
  const most = Math.floor((limits.max_bytes - 65536) * 0.74); // base64 takes a third more; the post needs room, too
  const name = file.name || "picture.png";
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (bitmap === null) {
    if (file.size > most) throw new Error(`This file has ${bytes(file.size)}; the service takes ${bytes(most)}.`);
    return { blob: file, name, note: "" };
  }
  const pixels = bitmap.width * bitmap.height;
  const mostPixels = file.type === "image/jpeg" ? limits.max_pixels : limits.max_pixels_other;
  if (file.size <= most && pixels <= mostPixels) {
    bitmap.close();
    return { blob: file, name, note: "" };
  }
  const why = file.size > most ? `${bytes(file.size)}, over the service's limit` : "more pixels than the service takes";
  let scale = Math.min(1, Math.sqrt(mostPixels / pixels));
  for (let tries = 0; tries < 12; tries += 1, scale *= 0.75) {
    const canvas = element("canvas", {});
    canvas.width = Math.max(1, Math.floor(bitmap.width * scale));
    canvas.height = Math.max(1, Math.floor(bitmap.height * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
    if (blob !== null && blob.size <= most) {
      const size = `${canvas.width} × ${canvas.height}`;
      const note = `Made smaller before it was sent (${why}): ${bitmap.width} × ${bitmap.height} became ${size} pixels.`;
      bitmap.close();
      return { blob, name: name.replace(/\.[^.]*$/, "") + ".jpg", note };
    }
  }
  throw new Error(`This picture has ${bytes(file.size)} and could not be made small enough for the service.`);
}

/** The bytes of a blob in base64. */
export function base64(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(new Error("The file cannot be read."));
    reader.readAsDataURL(blob);
  });
}

/** Whether two boxes are the same. */
export function same(one, other) {
  return Array.isArray(one) && Array.isArray(other) && one.length === 4 && one.every((side, at) => side === other[at]);
}

/** Draw a box for each entry that has one; `over(entry)` is called with the entry that is pointed at, or null. */
export function draw(svg, image, context, over) {
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  svg.replaceChildren();
  if (!width || !height) return;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const tags = [...(context?.tags ?? [])].sort((a, b) => (b.confidence ?? 1) - (a.confidence ?? 1)).slice(0, BOXES);
  for (const entry of [...tags, ...(context?.ocr ?? [])]) {
    if (!Array.isArray(entry.box)) continue;
    for (const kind of ["shade", "box"]) {
      const rect = rectangle(entry.box, kind);
      rect.setAttribute("rx", width / 150);
      if (kind === "box") {
        const title = document.createElementNS(SVG, "title");
        title.textContent = shown(words(entry));
        rect.append(title);
        rect.box = entry.box;
        rect.addEventListener("pointerenter", () => over(entry));
        rect.addEventListener("pointerleave", () => over(null));
      }
      svg.append(rect);
    }
  }
}

/** Light up these boxes; one that nothing read has alone, such as that around two lines, is drawn while it is lit. */
export function light(svg, boxes) {
  for (const rect of svg.querySelectorAll("rect.joined")) rect.remove();
  const rects = [...svg.querySelectorAll("rect.box")];
  for (const rect of rects) rect.setAttribute("class", boxes.some((box) => same(box, rect.box)) ? "box lit" : "box");
  for (const box of boxes.filter((each) => !rects.some((rect) => same(each, rect.box)))) {
    const rect = rectangle(box, "box joined lit");
    if (svg.hasAttribute("viewBox")) svg.append(rect);
  }
  svg.classList.toggle("dim", boxes.length > 0);
}

/** Whether a region shows what was read: the same box, or one of the lines that it joins. */
export function covers(region, entry) {
  if (!Array.isArray(entry.box)) return false;
  const [left, top, right, bottom] = entry.box;
  const within = left >= region.box[0] && top >= region.box[1] && right <= region.box[2] && bottom <= region.box[3];
  return same(region.box, entry.box) || (within && region.text.includes(words(entry)));
}

function rectangle([left, top, right, bottom], kind) {
  const rect = document.createElementNS(SVG, "rect");
  const place = { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
  for (const [name, value] of Object.entries(place)) rect.setAttribute(name, value);
  rect.setAttribute("class", kind);
  return rect;
}

/** What an entry says: a tag's attributes before its object, or its text. */
export function words(entry) {
  return entry.text ?? [...(entry.attributes ?? []), entry.object ?? ""].join(" ");
}

function bytes(count) {
  return count >= 1048576 ? `${(count / 1048576).toFixed(1)} MiB` : `${Math.ceil(count / 1024)} KiB`;
}
