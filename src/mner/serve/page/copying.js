// The request on the page as code: what to type to get the same answer elsewhere.

/** The snippets that are offered: [name, function of a request]. */
export const SNIPPETS = [
  ["JSON", json],
  ["Python client", client],
  ["Python, mner.load", load],
  ["curl", curl],
];

// Characters that show nothing, reverse the writing or steer a terminal; they are written as escapes.
const UNSEEN = /[\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Surrogate}/gu;
const escaped = (text) => text.replace(UNSEEN, (char) => `\\u${char.codePointAt(0).toString(16).padStart(4, "0")}`);

/** The answer of the service. */
function json({ row }) {
  return escapedLines(JSON.stringify(row, null, 2));
}

function client({ text, context, images, address, keyed }) {
  const key = keyed ? `, key=os.environ["MNER_SERVE_KEY"]` : "";
  const options = [python(text, 0)];
  if (context) options.push(`context=${python(context, 2)}`);
  else if (images.length) options.push(`image=${python(files(images), 2)}`);
  if (options.length > 1) options.push(`views=["T", "I+T"]`, "explain=True");
  const long = options.length > 1;
  const given = long ? `\n${options.map((option) => `        ${option},\n`).join("")}    ` : options[0];
  return (
    `${keyed ? "import os\n\n" : ""}from mner.client import Client\n\n` +
    `with Client(${python(address, 0)}${key}) as client:\n    row = client.entities(${given})\n` +
    `for entity in row["entities"]:\n    print(entity["text"], entity["label"], entity["score"])\n`
  );
}

function load({ text, context, images, model }) {
  const pictures = images.length ? `, image=${python(files(images), 0)}` : "";
  const beside = context ? `,\n    context=${python(context, 1)},\n` : pictures;
  const packaged = model === "social-en";
  return (
    `import mner\n\ntagger = mner.load(${packaged ? "" : `"PATH/TO/THE/MODEL"`})` +
    `\nprediction = tagger(${context ? "\n    " : ""}${python(text, 0)}${beside})\n` +
    `for entity in prediction.entities:\n    print(entity.text, entity.label, entity.score)\n`
  );
}

function curl({ text, context, images, address, keyed }) {
  const key = keyed ? ` \\\n  -H "Authorization: Bearer $MNER_SERVE_KEY"` : "";
  const start = `curl ${shell(`${address}/v1/entities`)}${key}`;
  if (images.length && !context) {
    const field = images.length > 1 ? "images" : "image";
    const parts = images.map((name) => `-F ${shell(`${field}=@${file(name)}`)}`).join(" ");
    const options = `--form-string views=T,I+T --form-string explain=true`;
    return `${start} \\\n  --form-string ${shell(`text=${text}`)} \\\n  ${parts} \\\n  ${options}\n`;
  }
  const body = { text, ...(context ? { context, views: ["T", "I+T"], explain: true } : {}) };
  return `${start} \\\n  -H 'Content-Type: application/json' \\\n  -d ${shell(escaped(JSON.stringify(body)))}\n`;
}

/** A value as Python writes it, a list or object with one entry on each line. */
function python(value, depth) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return escaped(JSON.stringify(value));
  if (typeof value !== "object") return String(value);
  const list = Array.isArray(value);
  const parts = list
    ? value.map((part) => python(part, depth + 1))
    : Object.entries(value).map(([name, part]) => `${python(name, 0)}: ${python(part, depth + 1)}`);
  const [open, close] = list ? "[]" : "{}";
  const flat = `${open}${parts.join(", ")}${close}`;
  if (flat.length <= 90 && !flat.includes("\n")) return flat;
  const inside = "    ".repeat(depth + 1);
  return `${open}\n${parts.map((part) => `${inside}${part},\n`).join("")}${"    ".repeat(depth)}${close}`;
}

/** A word of a shell's command line. */
function shell(text) {
  if (text.search(UNSEEN) < 0) return `'${text.replaceAll("'", `'\\''`)}'`;
  return `$'${escaped(text.replaceAll("\\", "\\\\").replaceAll("'", "\\'"))}'`; // bash and zsh know such words
}

/** A file name that no shell and no form takes for anything else. */
function file(name) {
  return name.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[-.]+/, "") || "picture";
}

/** The name of a single picture, or the names of several. */
function files(names) {
  return names.length > 1 ? names.map(file) : file(names[0]);
}

function escapedLines(text) {
  return text.split("\n").map(escaped).join("\n");
}
