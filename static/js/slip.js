// A slip that was just sent to the printer prints itself. Until it has been handed over the browser hears no key, so
// the page from whose frame it is printed is told (printer.js).

const { body } = document;
if (body.hasAttribute("data-print")) {
  addEventListener("load", () => {
    parent.document.dispatchEvent(new CustomEvent("paper:prints"));
    print();
    body.dataset.print = "done";
  });
}
