// A slip that was just sent to the printer prints itself. Until it has been handed over the browser hears no key.

const { body } = document;
if (body.hasAttribute("data-print")) {
  addEventListener("load", () => {
    print();
    body.dataset.print = "done";
  });
}
