// A slip that was just sent to the printer prints itself.

if (document.body.hasAttribute("data-print")) addEventListener("load", () => print());
