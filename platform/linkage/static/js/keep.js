// A form that was sent and did not arrive is not lost: the network was away, or the session was over. What was typed is
// sealed (AES-GCM, in this tab only, under a key that only pages of this account carry), and comes back into its form when
// the same person is signed in again. It is erased when the server says that the form was done, and after two hours.
(() => {
  "use strict";
  const NAME = "kept", HOURS_2 = 2 * 60 * 60 * 1000, QUIET = 60 * 1000;
  const {user, seal} = document.body.dataset;
  const held = (field) => field.name && !["hidden", "password", "file", "submit", "button"].includes(field.type);
  const choice = (field) => field.type === "checkbox" || field.type === "radio";
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
  const here = () => location.pathname + location.search;
  const key = (form) => form.querySelector("input[name=_idem]");
  // A field may be called "method" or "action", and hides the form's own.
  const posts = (form) => form.getAttribute("method")?.toLowerCase() === "post";
  const target = (form) => new URL(form.getAttribute("action") ?? "", location.href).href;

  // ---- a calm word on top of the page ----
  function say(which, link) {
    const words = document.querySelector(`[data-notice=${which}]`), place = document.getElementById("notices");
    if (!words || !place) return;
    const shown = words.content.firstElementChild.cloneNode(true);
    const anchor = shown.querySelector("a");
    if (anchor && link) anchor.href = link;
    shown.dataset.kept = which;
    place.querySelector("[data-kept]")?.remove();
    place.prepend(shown);
    place.scrollIntoView({block: "nearest"});
  }
  const unsay = () => document.querySelector("#notices [data-kept=offline]")?.remove();

  // ---- before a form leaves: is anybody there? Asked where the page has been quiet for a while, or knows it is offline ----
  const asked = new WeakSet();
  let heard = performance.now();
  async function reachable() {
    if (!navigator.onLine) return false;
    try {
      const answer = await fetch("/healthz", {cache: "no-store", signal: AbortSignal.timeout(8000)});
      return answer.ok;
    } catch { return false; }
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!posts(form)) return;
    if (asked.delete(form) || (navigator.onLine && performance.now() - heard < QUIET)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    reachable().then((yes) => {
      if (!yes) return say("offline");
      heard = performance.now();
      unsay();
      asked.add(form);
      form.requestSubmit(event.submitter);
    });
  }, true);
  for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, (event) => {
    if (event.detail.requestConfig?.verb === "post") say("offline");
  });
  document.addEventListener("htmx:afterOnLoad", () => { heard = performance.now(); unsay(); });
  window.addEventListener("online", unsay);

  // ---- what was sent, until it is done ----
  function entry() {
    const kept = JSON.parse(sessionStorage.getItem(NAME) ?? "null");
    if (kept && Date.now() - kept.at < HOURS_2 && (!user || kept.user === user)) return kept;
    sessionStorage.removeItem(NAME);
    return null;
  }
  const done = decodeURIComponent(/(?:^|; )done=([^;]*)/.exec(document.cookie)?.[1] ?? "");
  const first = entry();
  if (first && done && first.idem === done) sessionStorage.removeItem(NAME);
  const kept = entry();
  if (kept && !user) sessionStorage.setItem(NAME, JSON.stringify({...kept, lost: true}));  // signed out, or an error's page
  document.addEventListener("click", (event) => { if (event.target.closest("[data-forget]")) sessionStorage.removeItem(NAME); });
  if (!user || !seal || !window.crypto?.subtle) return;

  const ready = crypto.subtle.importKey("raw", bytes(seal), "AES-GCM", false, ["encrypt", "decrypt"]);
  let page = here();  // where the form is to be found again: a form that came back with errors has another address
  async function keep(form) {
    const values = [...form.elements].filter(held).filter((field) => !choice(field) || field.checked).map((field) => [field.name, field.value]);
    if (!values.some(([, value]) => value)) return;
    const idem = key(form)?.value ?? "", iv = crypto.getRandomValues(new Uint8Array(12));
    const plain = new TextEncoder().encode(JSON.stringify({page, action: target(form), values}));
    const data = await crypto.subtle.encrypt({name: "AES-GCM", iv}, await ready, plain);
    sessionStorage.setItem(NAME, JSON.stringify({user, idem, at: Date.now(), iv: text(iv), data: text(data)}));
  }
  document.addEventListener("submit", (event) => { if (posts(event.target)) keep(event.target); });

  function put(form, values) {
    for (const field of [...form.elements].filter(held)) {
      const own = values.filter(([name]) => name === field.name).map(([, value]) => value);
      if (choice(field)) field.checked = own.includes(field.value);
      else if (own.length) field.value = own.shift();
    }
    form.dispatchEvent(new CustomEvent("draft:restored", {bubbles: true}));
  }
  async function back() {
    if (!kept) return;
    const plain = await crypto.subtle.decrypt({name: "AES-GCM", iv: bytes(kept.iv)}, await ready, bytes(kept.data)).catch(() => null);
    if (!plain) return sessionStorage.removeItem(NAME);
    const {page: was, action, values} = JSON.parse(new TextDecoder().decode(plain));
    const form = [...document.forms].find((one) => posts(one) && target(one) === action);
    if (form && form.querySelector("[aria-invalid=true]")) { page = was; return; }
    const again = kept.lost || performance.getEntriesByType("navigation")[0]?.type === "back_forward";
    if (!again) return;
    if (!form || was !== here()) { if (kept.lost) say("elsewhere", was); return; }
    put(form, values);
    // The same key: if it did arrive after all, the server answers as the first time. A change makes a new one (forms.js).
    if (key(form) && kept.idem) { key(form).value = kept.idem; form.dataset.used = "1"; }
    say("back");
  }
  back();
})();
