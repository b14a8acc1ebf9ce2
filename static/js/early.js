// Runs before the page is there: keys pressed until its modules are at work are kept, and given to keys.js then. Fast
// fingers lose nothing while one page follows another. What is typed into a field, it takes by itself.
(() => {
  const FIELDS = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
  const kept = [];
  const keep = (event) => {
    const { key, target } = event;
    const own = target.matches(FIELDS) || key === "Tab" || key === "Shift" || (key === "Enter" && target !== document.body);
    if (own || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    event.stopImmediatePropagation();
    kept.push(event);
  };
  addEventListener("keydown", keep, true);
  /** The keys that came too early, in their order; from now on they go where they belong. */
  window.earlyKeys = () => {
    removeEventListener("keydown", keep, true);
    return kept.splice(0);
  };
})();
