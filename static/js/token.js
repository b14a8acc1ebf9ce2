// The keys of a token's page: each stands inside the control that it presses.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  if (localStorage.getItem("single-keys") === "off" && event.key.length === 1) return;
  if (event.key === "Enter") return;
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  document.querySelector(`#main [data-key="${CSS.escape(name)}"]`)?.click();
});
