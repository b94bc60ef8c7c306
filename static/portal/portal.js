// Small manners of every page. Everything here is an addition: the pages work without it.
(() => {
  "use strict";

  const themes = ["system", "light", "dark"];

  function showTheme(button) {
    const now = document.documentElement.dataset.theme || "system";
    button.querySelector("[data-theme-name]").textContent = now;
    button.hidden = false;
    return now;
  }

  function switchTheme(button) {
    const next = themes[(themes.indexOf(showTheme(button)) + 1) % themes.length];
    if (next === "system") {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem("theme");
    } else {
      document.documentElement.dataset.theme = next;
      localStorage.setItem("theme", next);
    }
    showTheme(button);
    document.dispatchEvent(new CustomEvent("themechange"));
  }

  // Times are sent in UTC; the reader sees the own zone, and UTC on hover.
  const shape = {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  };
  const clock = new Intl.DateTimeFormat(navigator.languages, shape);
  const preciseClock = new Intl.DateTimeFormat(navigator.languages, { ...shape, second: "2-digit" });

  function localTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.valueOf())) continue;
      time.textContent = ("precise" in time.dataset ? preciseClock : clock).format(at);
      time.dataset.local = "";
    }
  }

  // On a narrow window the tabs are wider than it: show the one that is open.
  function showCurrentTab(root) {
    for (const tab of root.querySelectorAll(".tabs a[aria-current]")) {
      const strip = tab.closest(".tabs");
      strip.scrollLeft = tab.offsetLeft - strip.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2;
    }
  }

  function toast(text, level = "error") {
    const box = document.createElement("div");
    box.className = `toast toast--${level}`;
    const words = document.createElement("div");
    words.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.dataset.close = "";
    close.setAttribute("aria-label", "Close");
    close.textContent = "×";
    box.append(words, close);
    document.getElementById("toasts").append(box);
    retire(box);
  }

  // What went well may disappear by itself; a warning or an error waits until it is closed.
  function retire(box) {
    box.querySelector("[data-close]")?.removeAttribute("hidden");
    if (!box.matches(".toast--success, .toast--info")) return;
    let timer = setTimeout(() => box.remove(), 9000);
    const keep = () => clearTimeout(timer);
    box.addEventListener("mouseenter", keep);
    box.addEventListener("focusin", keep);
    box.addEventListener("mouseleave", () => { timer = setTimeout(() => box.remove(), 4000); });
  }

  // A table that is wider than its place scrolls there, also by keyboard.
  const wide = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }));

  // In a bar that is too narrow for its tabs, the present one is in sight.
  function show(tab) {
    const bar = tab.closest(".tabs");
    const [place, whole] = [tab.getBoundingClientRect(), bar.getBoundingClientRect()];
    if (place.right > whole.right) bar.scrollLeft += place.right - whole.right;
  }

  function enhance(root) {
    localTimes(root);
    showCurrentTab(root);
    root.querySelectorAll(".tabs [aria-current]").forEach(show);
    root.querySelectorAll(".table-wrap").forEach((place) => wide.observe(place));
    root.querySelectorAll("[data-theme-switch]").forEach(showTheme);
    root.querySelectorAll(".toast").forEach(retire);
    root.querySelectorAll("[data-needs-script]").forEach((node) => node.removeAttribute("hidden"));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, [data-copy]");
    if (button?.matches("[data-close]")) button.closest(".toast, .notice").remove();
    if (button?.matches("[data-theme-switch]")) switchTheme(button);
    if (button?.matches("[data-cancel]")) button.closest("details").removeAttribute("open");
    if (button?.matches("[data-copy]")) copy(button);
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    }
  });

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    toast(button.dataset.copied || "Copied", "success");
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    }
  });

  // A form is sent once: the button says what happens and takes no second click.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    const button = event.submitter;
    if (button?.dataset.busy) {
      button.classList.add("busy");
      button.lastChild.textContent = button.dataset.busy;
    }
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sent]").forEach((f) => delete f.dataset.sent);
  });

  // A filter applies itself when a choice is made.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
  });

  document.addEventListener("htmx:responseError", (event) => {
    const id = event.detail.xhr.getResponseHeader("X-Request-ID");
    toast(`The portal could not do this (${event.detail.xhr.status})${id ? `. Request ${id}` : ""}.`);
  });

  // Live parts: say so when the portal stops answering, and when it is back.
  document.addEventListener("htmx:sendError", (event) => {
    const live = event.target.closest?.("[data-live]");
    if (!live) return toast("The portal does not answer. Check your connection.");
    live.querySelector("[data-stale]")?.removeAttribute("hidden");
  });

  // The word for the state is read out when it changes, not with every look.
  document.addEventListener("htmx:afterSwap", (event) => {
    const word = event.target.querySelector?.("[data-announce]")?.dataset.announce;
    const announcer = document.querySelector("[data-announcer]");
    if (word && announcer && announcer.textContent !== word) announcer.textContent = word;
  });

  document.addEventListener("htmx:load", (event) => enhance(event.target));
  window.portal = { toast };
  enhance(document);
})();
