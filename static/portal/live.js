// A job that goes on: the server says when something happens, and only then the page asks.
// Where that is not to be had (too many are watching, an old browser) the page goes on asking.
(() => {
  "use strict";

  const part = document.querySelector("[data-events]");
  if (!part || !window.EventSource) return;
  const source = new EventSource(part.dataset.events);
  let listening = false;

  source.addEventListener("open", () => { listening = true; });
  source.addEventListener("error", () => { listening = false; });
  source.addEventListener("state", () => htmx.trigger(part, "heard"));
  source.addEventListener("end", () => {
    listening = false; // what follows the end, such as the bill, is asked for
    source.close();
    htmx.trigger(part, "heard");
  });

  // The regular question is left out while the server tells by itself.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = event.detail;
    if (elt === part && listening && requestConfig?.triggeringEvent?.type !== "heard") {
      event.preventDefault();
    }
  });
  window.addEventListener("pagehide", () => source.close());
})();
