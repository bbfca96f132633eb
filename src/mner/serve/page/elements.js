// Elements with text in them. Text of others only ever becomes a text node, so no part of it can become markup.

/** An element with these properties; `class`, `data-...`, `aria-...` and `role` are attributes. */
export function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (typeof value === "function") node.addEventListener(key, value);
    else if (key in node && !key.includes("-")) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

const UNFIT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/** The text with what steers terminals or reverses the writing replaced, one character by one, so that offsets stay. */
export function shown(text) {
  return text.replace(UNFIT, "\ufffd");
}

/** A probability with two decimals. */
export function number(score) {
  return score.toFixed(2);
}

const KNOWN = { PER: 0, PERSON: 0, LOC: 1, LOCATION: 1, GPE: 1, ORG: 2, ORGANIZATION: 2, MISC: 3, OTHER: 3 };

/** The class of a label's colour, the same as on the pages of explanations: the usual labels have their own, others one by
 * the CRC-32 of their name. */
export function colour(label) {
  const known = KNOWN[label.toUpperCase()];
  if (known !== undefined) return `c${known}`;
  let sum = ~0;
  for (const byte of new TextEncoder().encode(label)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return `c${4 + ((~sum >>> 0) % 4)}`;
}
