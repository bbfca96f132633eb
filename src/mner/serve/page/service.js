// Requests to the service that gave this page.

/** Why a request was not answered. `wait`: seconds after which it may be sent again; null: it need not. */
export class Refusal extends Error {
  constructor(status, code, message, wait = null) {
    super(message);
    Object.assign(this, { status, code, wait });
  }
}

let key = "";

/** Send this key from now on; blanks around it do not count. */
export function useKey(given) {
  key = given.trim();
}

/** The service's model and its limits. */
export function model() {
  return answer("v1/model", {});
}

/** The row of one post. An aborted signal throws what `fetch` throws then. */
export function entities(query, signal) {
  const body = JSON.stringify(query);
  return answer("v1/entities", { method: "POST", body, signal, headers: { "Content-Type": "application/json" } });
}

async function answer(path, options) {
  const headers = { Accept: "application/json", ...options.headers };
  if (/[^!-~]/.test(key)) throw new Refusal(401, "unauthorized", "No key holds such characters."); // nor does a header
  if (key) headers.Authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "unreachable", "The service does not answer. Is it still running?");
  }
  const body = await response.json().catch(() => null); // what stands between may answer with a page
  if (response.ok && body !== null) return body;
  const fault = body?.error ?? {};
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const again = response.status === 429 || response.status === 503;
  const wait = again ? (Number.isFinite(seconds) ? Math.min(60, Math.max(1, seconds)) : 1) : null;
  throw new Refusal(response.status, String(fault.code ?? "unknown"), String(fault.message ?? `no reason was given (status ${response.status})`), wait);
}
