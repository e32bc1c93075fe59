// What every page needs: text size and colours (kept in cookies, so that the server draws the next page right at once),
// menus that close, error summaries that take the focus, passwords to show. External file: the CSP refuses inline scripts.
(() => {
  "use strict";
  const root = document.documentElement;
  const YEAR = 60 * 60 * 24 * 365;

  function remember(name, value) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; Path=/; Max-Age=${value ? YEAR : 0}; SameSite=Lax${secure}`;
    if (value) root.dataset[name] = value; else delete root.dataset[name];
  }

  function syncChoices(name, value) {
    for (const input of document.querySelectorAll(`input[data-set="${name}"]`)) input.checked = input.value === value;
  }

  document.addEventListener("change", (event) => {
    const name = event.target.dataset?.set;
    if (name) { remember(name, event.target.value); syncChoices(name, event.target.value); }
  });

  const SIZES = ["", "large", "larger"];
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-toggle-text], [data-show]");
    if (!target) return;
    if (target.dataset.show) return showPassword(target);
    remember("text", SIZES[(SIZES.indexOf(root.dataset.text ?? "") + 1) % SIZES.length]);
  });

  function showPassword(button) {
    const input = document.getElementById(button.dataset.show);
    const shown = input.type === "text";
    const word = button.querySelector("span");
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
    [word.textContent, button.dataset.hideWord] = [button.dataset.hideWord, word.textContent];
  }

  // Menus are <details>: they work without this; here they close when the reader turns elsewhere.
  const openMenus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // Suggestions under the search box: arrows walk through them, Escape goes back to the box.
  document.addEventListener("keydown", (event) => {
    const box = event.target.closest?.(".bar-search");
    if (!box || !["ArrowDown", "ArrowUp", "Escape"].includes(event.key)) return;
    const input = box.querySelector("input"), hits = [...box.querySelectorAll(".suggestions a")];
    if (event.key === "Escape") { box.querySelector(".suggestions").replaceChildren(); return input.focus(); }
    if (!hits.length) return;
    event.preventDefault();
    const stops = [input, ...hits];
    const place = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    stops[(place + stops.length) % stops.length].focus();
  });

  function wake(part) {
    for (const element of part.querySelectorAll("[data-display], [data-show]")) element.hidden = false;
    part.querySelector("[data-focus]")?.focus();
  }
  wake(document);
  document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) wake(event.target); });
})();
