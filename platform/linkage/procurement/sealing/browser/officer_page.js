// The officer's page: make the key, prove it in the drill, release the parts. The key itself stays in the worker.
import { unbase64 } from "./bytes.js";
import { keyholder } from "./key.js";
import { checkClosing, openPart, Refused } from "./protocol.js";
import { all, busy, bytesOf, save, say, send, unlessSecure } from "./page.js";

const LEAST_PASSPHRASE = 12;

async function unlocked(form) {
  const holder = keyholder(form.dataset.worker);
  const file = form.querySelector("[data-key]").files[0];
  if (!file) { say(form, "no-file"); return null; }
  try {
    const { recipient } = await holder.unlock(await bytesOf(file), form.querySelector("[data-passphrase]").value);
    if (recipient === form.dataset.recipient) return holder;
    say(form, "other-key");
  } catch { say(form, "wrong-passphrase"); }
  return null;
}

async function makeKey(form) {
  const [first, again] = all(form, "[data-passphrase]").map((field) => field.value);
  if ([...first.normalize("NFKC")].length < LEAST_PASSPHRASE) return say(form, "short");
  if (first !== again) return say(form, "differ");
  const { recipient, file } = await keyholder(form.dataset.worker).make(first);
  save(file, form.dataset.name);
  return send(form, form.dataset.url, { recipient });
}

async function drill(form) {
  const holder = await unlocked(form);
  if (!holder) return;
  const token = new TextDecoder().decode(await holder.open(unbase64(form.dataset.drill)));
  await send(form, form.dataset.url, { token });
}

// Look at every part first; nothing leaves before the officer has seen what is wrong and presses again.
async function examine(form) {
  const holder = await unlocked(form);
  if (!holder) return;
  const answer = await fetch(form.dataset.parts, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  const { closing, bids } = await answer.json();
  // A demonstration's clock can be moved; only there does the page say what time it is.
  const now = form.dataset.now ? Date.parse(form.dataset.now) : Date.now();
  const entries = await checkClosing(closing, form.dataset.tender, now);
  const given = {};
  for (const bid of bids) given[bid.place] = await examined(bid, { tender: form.dataset.tender, seat: Number(form.dataset.seat), entries, open: holder.open });
  await holder.forget();
  form.released = given;
  showParts(form, given);
}

async function examined(bid, rest) {
  try {
    return { pieces: await openPart({ place: bid.place, manifest: unbase64(bid.manifest), part: unbase64(bid.part) }, rest) };
  } catch (error) { return { fault: error instanceof Refused ? error.message : "unreadable" }; }
}

function showParts(form, given) {
  for (const row of all(form, "[data-place]")) {
    const fault = given[row.dataset.place]?.fault ?? (given[row.dataset.place] ? "" : "not-on-the-list");
    const words = form.querySelector(`template[data-part="${fault || "good"}"]`) ?? form.querySelector('template[data-part="unreadable"]');
    row.querySelector("[data-found]").replaceChildren(words.content.cloneNode(true));
  }
  for (const part of all(form, "[data-unlocking]")) part.hidden = true;
  form.querySelector("[data-release]").hidden = false;
  say(form, "examined");
}

const release = (form) => send(form, form.dataset.url, { parts: JSON.stringify(form.released) });

const deeds = { make: makeKey, drill, release: (form) => (form.released ? release(form) : examine(form)) };

export function officerPage(form) {
  if (!unlessSecure(form)) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(form, async () => {
      try { await deeds[form.dataset.officer](form); } catch (error) {
        if (error instanceof Refused) say(form, `list-${error.message}`); else say(form, "refused", error.message);
      }
    });
  });
}
