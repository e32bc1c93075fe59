// The bidder's page: prices and files stay in this browser until they are sealed. The fields have no names, so that no
// form, draft or autofill can carry them away in clear.
import { seal } from "./protocol.js";
import { all, busy, bytesOf, say, send, unlessSecure } from "./page.js";

const MONEY = /^[¥￥]?(\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.(\d{1,2}))?元?$/;
const MOST_BYTES = 9_000_000;

// What people type → integer fen; null where nothing stands there, NaN where it is not an amount.
export function fen(text) {
  const typed = text.normalize("NFKC").replaceAll("¥", "").replace(/\s/g, "");
  if (!typed) return null;
  const found = MONEY.exec(typed);
  return found ? Number(found[1].replaceAll(",", "")) * 100 + Number((found[2] ?? "").padEnd(2, "0")) : NaN;
}

const count = (input, factor = 1) => {
  const typed = input.value.normalize("NFKC").trim();
  return typed ? (/^\d{1,9}$/.test(typed) && Number(typed) > 0 ? Number(typed) * factor : NaN) : null;
};

// One offer: {lot: fen} of a table's rows that hold a price.
function offerOf(part) {
  const rows = all(part, "[data-lot]").map((row) => [row.dataset.lot, fen(row.querySelector("[data-price]").value), Number(row.dataset.ceiling)]);
  const filled = rows.filter(([, price]) => price !== null);
  return { prices: Object.fromEntries(filled.map(([lot, price]) => [lot, price])), within: filled.every(([, price, ceiling]) => price > 0 && price <= ceiling) };
}

function read(form) {
  const single = offerOf(form.querySelector("[data-singles]"));
  const combined = all(form, "[data-combos] [data-combo]").map(offerOf);
  const offers = [...Object.entries(single.prices).map(([lot, price]) => ({ prices: { [lot]: price } })), ...combined.map(({ prices }) => ({ prices }))];
  const keys = offers.map(({ prices }) => Object.keys(prices).sort().join());
  const files = [...form.querySelector("[data-files]").files];
  const [capacity, most] = [count(form.querySelector("[data-capacity]"), 60), count(form.querySelector("[data-most]"))];
  const checks = {
    offers: offers.length > 0,
    prices: offers.length > 0 && [single, ...combined].every(({ within }) => within),
    combined: combined.every(({ prices }) => Object.keys(prices).length > 1) && new Set(keys).size === keys.length,
    limits: !Number.isNaN(capacity) && !Number.isNaN(most),
    files: files.length > 0 && files.length <= 20 && files.every((file) => file.size > 0 && file.name.length <= 200),
    size: files.reduce((sum, file) => sum + file.size, 0) <= MOST_BYTES,
  };
  const statement = form.querySelector("[data-statement]").value.trim();
  return { checks, files, offer: { offers, capacity_minutes: capacity, most_lots: most, statement } };
}

function show(form, checks) {
  for (const line of all(form, "[data-check]")) {
    const holds = checks[line.dataset.check];
    line.querySelector("[data-holds]").hidden = !holds;
    line.querySelector("[data-lacks]").hidden = holds;
  }
  const complete = Object.values(checks).every(Boolean);
  form.querySelector("[data-submit]").disabled = !complete;
  return complete;
}

async function handIn(form, data) {
  const { checks, files, offer } = read(form);
  if (!show(form, checks)) return;
  await busy(form, async () => {
    try {
      const loaded = await Promise.all(files.map(async (file) => ({ name: file.name, type: file.type, bytes: await bytesOf(file) })));
      const names = { tender: data.tender, organisation: data.organisation, version: Number(data.version) };
      const sent = await seal(names, JSON.parse(data.recipients), offer, loaded);
      const parts = Object.fromEntries(sent.parts.map((part, at) => [`part-${at + 1}`, part]));
      // The commitment is the request's key: the same bid twice is one bid, another after going back is another.
      await send(form, data.url, { _idem: sent.commitment, organisation: data.organisation, manifest: sent.manifest, ciphertext: sent.ciphertext, ...parts });
    } catch (error) { say(form, "refused", error.message); }
  });
}

export function bidPage(form) {
  if (!unlessSecure(form)) return;
  const combos = form.querySelector("[data-combos]"), pattern = form.querySelector("template[data-combination]");
  const look = () => show(form, read(form).checks);
  form.addEventListener("input", look);
  form.addEventListener("change", look);
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-add]")) combos.append(pattern.content.cloneNode(true));
    event.target.closest("[data-remove]")?.closest("[data-combo]").remove();
    look();
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); handIn(form, form.dataset); });
  look();
}
