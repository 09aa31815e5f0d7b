// Requests to this server, and what goes wrong with them in words.
import { known, t } from "./i18n.js";
import { tab } from "./store.js";

export class Fault extends Error {
  constructor(status, code, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export const key = {
  get: () => tab.get("key", ""),
  set: (value) => tab.set("key", value || null),
};

// Send a request and return its response; a refusal or a broken line is thrown as a Fault.
export async function send(path, { json, form, method, signal } = {}) {
  const headers = {};
  if (key.get()) headers.authorization = `Bearer ${key.get()}`;
  if (json !== undefined) headers["content-type"] = "application/json";
  const body = json !== undefined ? JSON.stringify(json) : form;
  let response;
  try {
    response = await fetch(path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers,
      body,
      signal,
      cache: "no-store",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Fault(0, "unreachable", "");
  }
  if (response.ok) return response;
  throw await faultOf(response);
}

export async function ask(path, options) {
  return (await send(path, options)).json();
}

async function faultOf(response) {
  let said = {};
  try {
    said = (await response.json()).error ?? {};
  } catch {
    // an answer without words of its own
  }
  const wait = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  return new Fault(
    response.status,
    said.code ?? "",
    said.message ?? response.statusText,
    Number.isNaN(wait) ? null : wait,
  );
}

// An error that came inside a stream.
export function faultIn(said) {
  return new Fault(500, said.code ?? "", said.message ?? "");
}

// What to tell the person: our words where we know the case, the server's own where they add to it.
export function words(fault) {
  if (!(fault instanceof Fault)) return t("error.other", { what: String(fault?.message ?? fault) });
  const name = `error.${fault.code}`;
  if (!known(name)) return fault.message || t("error.status", { status: String(fault.status) });
  return t(name, { what: fault.message, seconds: String(fault.retryAfter ?? 2) });
}
