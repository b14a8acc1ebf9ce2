// On every page: keys and the command field, the theme that was chosen, menus and messages that close.

import { $, $$ } from "./dom.js";
import "./find.js";
import { onEscape } from "./keys.js";

const root = document.documentElement;

for (const button of $$("[data-theme-switch]")) {
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    // A cookie, so that the server writes the theme into the page and nothing flashes.
    document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
  });
}

const openMenus = () => $$("details.me[open], details.more-steps[open]");

onEscape(1, () => {
  const open = openMenus();
  for (const menu of open) {
    menu.open = false;
    if (menu.contains(document.activeElement)) $("summary", menu).focus();
  }
  return open.length > 0;
});
onEscape(9, () => {
  const shown = $("#toasts")?.childElementCount > 0;
  $("#toasts")?.replaceChildren();
  return shown;
});

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast").remove();
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  const filler = event.target.closest("[data-fill]");
  if (filler) {
    const field = filler.form.elements[filler.dataset.fill];
    field.value = filler.textContent.trim();
    field.focus();
  }
  // The sign-in page of the demo: press a name to fill it in.
  const name = event.target.closest("[data-sign-in]");
  if (name) {
    const password = $("[name=password]");
    $("[name=login]").value = name.dataset.signIn;
    password.value = name.dataset.password;
    $("[type=submit]", password.form).focus();
  }
});

// A figure that is to be written over is ready for it.
document.addEventListener("focusin", ({ target }) => {
  if (target.matches("[data-select-all]")) target.select();
});
