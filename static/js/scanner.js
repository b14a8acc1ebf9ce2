// A scanner types the code of a slip and Enter, whatever has the focus; from the first moment of a page on, so this runs
// before all else.
addEventListener("keydown", (event) => {
  const code = document.getElementById("code");
  const typed = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (code && typed && event.key !== " " && document.activeElement !== code) code.focus();
});
