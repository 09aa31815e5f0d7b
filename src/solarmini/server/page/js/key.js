// The API key: asked for when the server wants one, kept in this tab alone.
import { ask, key, words } from "./api.js";
import { byId, icon } from "./dom.js";
import { t } from "./i18n.js";

let after = null;

// Ask for the key; `then` runs once the server has accepted one.
export function openKey(then = null) {
  after = then;
  const dialog = byId("key");
  byId("key-value").value = key.get();
  byId("key-error").hidden = true;
  if (!dialog.open) dialog.showModal();
  byId("key-value").focus();
}

function complain(text) {
  const line = byId("key-error");
  line.textContent = text;
  line.hidden = false;
}

async function use() {
  const value = byId("key-value").value.trim();
  if (!value) return complain(t("key.empty"));
  const before = key.get();
  key.set(value);
  try {
    await ask("/v1/models");
  } catch (fault) {
    if (fault.status === 401) {
      key.set(before);
      return complain(t("key.wrong"));
    }
    if (fault.status !== 503) return complain(words(fault));
  }
  byId("key").close();
  document.dispatchEvent(new CustomEvent("solar:key"));
  after?.();
  after = null;
  return undefined;
}

export function startKey() {
  byId("open-key").append(icon("key"));
  byId("open-key").addEventListener("click", () => openKey());
  byId("key-cancel").addEventListener("click", () => byId("key").close());
  byId("key-forget").addEventListener("click", () => {
    key.set("");
    byId("key").close();
    document.dispatchEvent(new CustomEvent("solar:key"));
  });
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    use();
  });
}
