// Runs before the page is there: keys pressed until its modules are at work are kept, and given to keys.js then; so are
// presses of buttons that do nothing without a script. Fast fingers lose nothing while one page follows another. What is
// typed into a field, it takes by itself.
(() => {
  const FIELDS = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
  const kept = [];
  const keep = (event) => {
    const { key, target } = event;
    // Who leaned on Enter on the page before presses nothing on this one.
    if (key === "Enter" && event.repeat && !target.matches("textarea")) event.preventDefault();
    const own = target.matches(FIELDS) || key === "Tab" || key === "Shift" || (key === "Enter" && target !== document.body);
    if (own || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    event.stopImmediatePropagation();
    kept.push(event);
  };
  const keepPress = (event) => {
    const button = event.target.closest("button[type=button]:not([popovertarget])");
    if (!button) return;
    event.stopImmediatePropagation();
    kept.push({ button });
  };
  addEventListener("keydown", keep, true);
  addEventListener("click", keepPress, true);
  /** The keys and presses that came too early, in their order; from now on they go where they belong. */
  window.earlyKeys = () => {
    removeEventListener("keydown", keep, true);
    removeEventListener("click", keepPress, true);
    return kept.splice(0);
  };
})();
