// A slip that was just sent to the printer prints itself; the key P prints it again, as a copy.

if (document.body.hasAttribute("data-print")) addEventListener("load", () => print());

document.addEventListener("keydown", (event) => {
  if (event.key === "p" && !event.ctrlKey && !event.metaKey && !event.altKey) document.querySelector("#main [data-key=p]").click();
});
