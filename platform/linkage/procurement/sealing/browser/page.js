// What the pages of sealing share: the words that stand in the page, sending, and the officer's files.
import { canSeal } from "./protocol.js";

export const all = (root, selector) => [...root.querySelectorAll(selector)];

// Each page holds its sentences in <template data-says="code">: so they are in the reader's language.
export function say(root, code, more = "") {
  const box = root.querySelector("[data-answer]");
  const words = code && (root.querySelector(`template[data-says="${code}"]`) ?? root.querySelector('template[data-says="failed"]'));
  box.replaceChildren(...(words ? [words.content.cloneNode(true)] : []));
  if (more) box.querySelector("[data-more]")?.append(more);
  if (words) box.scrollIntoView({ block: "nearest" });
}

// Without a secure page there is no sealing here, and none anywhere else: the form stays away.
export function unlessSecure(root) {
  const able = canSeal();
  for (const part of all(root, "[data-able]")) part.hidden = !able;
  for (const part of all(root, "[data-unable]")) part.hidden = able;
  return able;
}

// POST to a page of ours; goes where the answer leads. A refusal is an error whose message is the server's sentence.
export async function send(root, url, fields) {
  const body = new FormData();
  const keys = Object.fromEntries(["csrf_token", "_idem"].map((key) => [key, root.querySelector(`input[name=${key}]`).value]));
  for (const [name, value] of Object.entries({ ...keys, ...fields })) body.append(name, value instanceof Uint8Array ? new Blob([value]) : value);
  const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (answer.ok) { location.assign(answer.url); return; }
  const problem = await answer.json().catch(() => ({}));
  throw new Error([problem.detail || problem.title, problem.remedy].filter(Boolean).join(" ") || String(answer.status));
}

export function save(bytes, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export const bytesOf = async (file) => new Uint8Array(await file.arrayBuffer());

export async function busy(root, work) {
  const buttons = all(root, "button");
  for (const button of buttons) button.disabled = true;
  say(root, "working");
  try { await work(); } finally { for (const button of buttons) button.disabled = false; }
}

