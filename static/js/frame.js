// On every page: the theme that was chosen, the find key, menus and messages that close.

const root = document.documentElement;
root.classList.add("scripted");

for (const button of document.querySelectorAll("[data-theme-switch]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    // A cookie, so that the server writes the theme into the page and nothing flashes.
    document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
  });
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast").remove();
  for (const menu of document.querySelectorAll("details.me[open], details.more-steps[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// The sign-in page of the demo: press a name to fill it in.
document.addEventListener("click", (event) => {
  const name = event.target.closest("[data-sign-in]");
  if (!name) return;
  document.querySelector("[name=login]").value = name.dataset.signIn;
  const password = document.querySelector("[name=password]");
  password.value = name.dataset.password;
  password.form.querySelector("[type=submit]").focus();
});

const typing = (element) => element.matches("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const field = document.querySelector("#command");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});
