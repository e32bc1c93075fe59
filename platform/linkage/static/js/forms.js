// Forms: a second click sends nothing, what was typed survives a reload in this tab, dropped files land in their input,
// a click on an error leads into its field.
(() => {
  "use strict";
  const PREFIX = "draft:";
  const key = (form) => `${PREFIX}${document.body.dataset.user ?? ""}:${form.dataset.draft}`;

  // ---- one click, one request ----
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("method")?.toLowerCase() !== "post" || event.defaultPrevented) return;  // a field may be called "method"
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = form.dataset.used = "1";
    // Only after the browser has read the form: a disabled button would not send its own value.
    setTimeout(() => { for (const button of form.querySelectorAll("button[type=submit]")) button.classList.add("is-busy"); });
  });
  function ready(form) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll(".is-busy")) button.classList.remove("is-busy");
  }
  // Whoever comes back to a sent form and changes something means a new request: it gets a new key. Unchanged, it keeps
  // the old one, and the server answers as the first time.
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form?.dataset.used) return;
    delete form.dataset.used;
    const fresh = [...crypto.getRandomValues(new Uint8Array(18))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    for (const key of form.querySelectorAll("input[name=_idem]")) key.value = fresh;
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(ready));
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest?.("form");
    if (form) ready(form);
  });

  // ---- drafts: in this tab only, never passwords, files or fields marked private ----
  const kept = (field) => field.name && !["hidden", "password", "file", "submit", "button"].includes(field.type) && !field.closest("[data-private]");
  const choice = (field) => field.type === "checkbox" || field.type === "radio";

  function save(form) {
    const values = [...form.elements].filter(kept).filter((field) => !choice(field) || field.checked).map((field) => [field.name, field.value]);
    sessionStorage.setItem(key(form), JSON.stringify(values));
  }
  function restore(form) {
    const stored = sessionStorage.getItem(key(form));
    if (!stored || form.querySelector("[aria-invalid=true]")) return;
    const values = JSON.parse(stored);
    for (const field of [...form.elements].filter(kept)) {
      const own = values.filter(([name]) => name === field.name).map(([, value]) => value);
      if (choice(field)) field.checked = own.includes(field.value);
      else if (own.length) field.value = own[0];
    }
    form.dispatchEvent(new CustomEvent("draft:restored", {bubbles: true}));
  }
  for (const form of document.querySelectorAll("form[data-draft]")) {
    restore(form);
    form.addEventListener("input", () => save(form));
    form.addEventListener("submit", () => sessionStorage.removeItem(key(form)));
  }
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-forget]")) return;
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
  });

  // ---- files ----
  for (const drop of document.querySelectorAll(".drop")) {
    const input = drop.querySelector("input[type=file]");
    drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("is-over"); });
    drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("is-over");
      if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; input.dispatchEvent(new Event("change", {bubbles: true})); }
    });
  }

  // ---- an error leads to its field ----
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".notice-list a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    const input = field.matches("fieldset") ? field.querySelector("input:checked, input") ?? field : field;
    input.focus();
    field.scrollIntoView({block: "center"});
  });
})();
