// Everything starts here.
import { startCard } from "./card.js";
import { startChat } from "./chat.js";
import { startDocument } from "./document.js";
import { byId } from "./dom.js";
import { startHealth } from "./health.js";
import { translate } from "./i18n.js";
import { startKey } from "./key.js";
import { startLook } from "./look.js";
import { startSettings } from "./settings.js";
import { tabList } from "./tabs.js";

const PANELS = ["chat", "document", "model"];

translate();
startLook();
startKey();
startSettings();
startChat();
startDocument();
const card = startCard();
startHealth();

const select = tabList(document.querySelector(".tabs"), (id) => {
  if (location.hash !== `#${id}`) history.replaceState(null, "", `#${id}`);
  if (id === "model") card.show();
  if (
    id === "chat" &&
    matchMedia("(pointer: fine)").matches &&
    !byId("key").open &&
    document.activeElement === document.body
  )
    byId("message").focus();
});
const asked = () => (PANELS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "chat");
addEventListener("hashchange", () => PANELS.includes(location.hash.slice(1)) && select(asked()));
select(asked());
document.documentElement.dataset.ready = "yes";
