// An error in words at the place where it matters, with a way on.
import { Fault, words } from "./api.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { openKey } from "./key.js";

// Show a fault in `host`; `again` is offered as a button. A missing key opens the key dialog.
export function showFault(host, fault, again) {
  const needsKey = fault instanceof Fault && fault.status === 401;
  const action = needsKey ? () => openKey(again) : again;
  const label = needsKey ? t("key.open") : t("retry");
  const button = action
    ? h("button", {
        type: "button",
        class: "small",
        text: label,
        on: {
          click: () => {
            clearNotice(host);
            action();
          },
        },
      })
    : null;
  const close = h("button", {
    type: "button",
    class: "link",
    text: t("close"),
    on: { click: () => clearNotice(host) },
  });
  host.replaceChildren(
    h(
      "div",
      { class: "notice error", role: "alert" },
      h("p", { text: words(fault) }),
      h("div", { class: "actions" }, button, close),
    ),
  );
  if (needsKey) openKey(again);
}

export function clearNotice(host) {
  host.replaceChildren();
}
