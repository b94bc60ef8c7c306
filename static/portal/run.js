// The form of a service: several values of one input, marks at wrong fields, a price that has aged.
(() => {
  "use strict";

  const form = document.querySelector("[data-run]");
  if (!form) return;

  function fieldOf(node) { return node.closest("[data-field]"); }

  function addValue(button) {
    const field = fieldOf(button);
    const list = field.querySelector("[data-occurrences]");
    const count = field.querySelector("[data-count]");
    const blank = field.querySelector("template[data-blank]");
    const made = document.createElement("div");
    made.innerHTML = blank.innerHTML.replaceAll("__k__", count.value);
    const node = made.firstElementChild;
    list.append(node);
    count.value = Number(count.value) + 1;
    node.querySelectorAll("[data-needs-script]").forEach((n) => n.removeAttribute("hidden"));
    node.querySelector("input, select, textarea")?.focus();
    bound(field);
  }

  function removeValue(button) {
    const field = fieldOf(button);
    const list = field.querySelector("[data-occurrences]");
    if (list.children.length > 1) button.closest("[data-occurrence]").remove();
    else list.querySelectorAll("input:not([type=radio]), textarea").forEach((n) => { n.value = ""; });
    field.querySelector("[data-add]")?.focus();
    bound(field);
    aged();
  }

  function bound(field) {
    const many = field.querySelector("[data-occurrences]").children.length;
    const add = field.querySelector("[data-add]");
    if (add) add.disabled = many >= Number(field.dataset.most);
  }

  // A price belongs to the inputs it was made for.
  function aged() {
    const submit = document.getElementById("submit-run");
    if (!submit || submit.disabled) return;
    submit.disabled = true;
    submit.textContent = form.dataset.aged || "Inputs changed: calculate the cost again";
    document.getElementById("calculate").classList.add("btn--primary");
  }

  function markWrong() {
    for (const field of form.querySelectorAll("[data-field]")) {
      const wrong = field.querySelector(".errorlist") !== null;
      for (const control of field.querySelectorAll("input:not([type=hidden]), select, textarea")) {
        if (wrong) control.setAttribute("aria-invalid", "true");
        else control.removeAttribute("aria-invalid");
      }
    }
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add], [data-remove]");
    if (!button) return;
    event.preventDefault();
    if (button.matches("[data-add]")) addValue(button);
    else removeValue(button);
  });
  form.addEventListener("input", (event) => {
    if (!event.target.matches("#job-title")) aged();
  });
  document.addEventListener("htmx:afterSettle", () => {
    markWrong();
    const submit = document.getElementById("submit-run");
    document.getElementById("calculate").classList.toggle("btn--primary", !submit);
    const answer = document.querySelector("#problems .notice") ?? document.querySelector("#cost [role=alert]") ?? submit;
    answer?.scrollIntoView({ block: "nearest" });
  });
  // The browser's own Enter would press the first button of the form, which may be "add another".
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input") && !event.target.matches("[type=file]")) {
      event.preventDefault();
      document.getElementById("calculate").click();
    }
  });
  markWrong();
})();
