// Sealing a bid in the bidder's browser, and what an officer's browser demands before it gives a part away.
//
// The key of AES-256-GCM is three random pieces, XORed. Officer n receives the two pieces that are not number n, in one
// age file: any two officers have all three, one has not. The *header* (one JSON text) names tender, organisation,
// version, the officers' recipients and the SHA-256 of every piece; it is the associated data of the ciphertext. The
// *manifest* carries that same text and the SHA-256 of ciphertext and parts; SHA-256 of its bytes as sent is the
// commitment. (The header cannot hold the ciphertext's hash, because the ciphertext's tag covers the header.)
import { Encrypter } from "age-encryption";
import { base64, hex, join, parse, random, sha256, utf8, xor } from "./bytes.js";

const SEATS = [1, 2, 3];
const LEAST_PAYLOAD = 64 * 1024;
const MAGIC = utf8("LINKAGE-BID-1\n");

// What a browser must have; without it nothing is sealed, least of all by the server.
export const canSeal = () => globalThis.isSecureContext === true && Boolean(globalThis.crypto?.subtle);

// Padmé (Nikitin et al. 2019): the length tells only its order of magnitude; at most 12 % are added.
export function padme(length) {
  if (length <= LEAST_PAYLOAD) return LEAST_PAYLOAD;
  const exponent = 31 - Math.clz32(length);
  const mask = 2 ** (exponent - (32 - Math.clz32(exponent))) - 1;
  return Math.ceil(length / (mask + 1)) * (mask + 1);
}

// The offer's JSON, then each file's bytes, then zeros. files: [{name, type, bytes}]
export async function pack(offer, files) {
  const attachments = [];
  for (const { name, type, bytes } of files) attachments.push({ name, media_type: type, size: bytes.length, sha256: await sha256(bytes) });
  const text = utf8(JSON.stringify({ ...offer, attachments }));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, text.length);
  const content = join(MAGIC, length, text, ...files.map((file) => file.bytes));
  return join(content, new Uint8Array(padme(content.length) - content.length));
}

async function encrypt(raw, nonce, header, payload) {
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: utf8(header) }, key, payload));
}

async function partFor(seat, recipient, names, digest, pieces) {
  const others = Object.fromEntries(SEATS.filter((other) => other !== seat).map((other) => [other, hex(pieces[other - 1])]));
  const age = new Encrypter();
  age.addRecipient(recipient);
  return age.encrypt(JSON.stringify({ format: "linkage-part-1", ...names, seat, header: digest, pieces: others }));
}

// names: {tender, organisation, version}; recipients: three age recipients in the order of their seats.
export async function seal(names, recipients, offer, files = []) {
  const payload = await pack({ format: "linkage-offer-1", ...names, ...offer }, files);
  const pieces = SEATS.map(() => random(32)), key = xor(...pieces), nonce = random(12);
  const hashes = await Promise.all(pieces.map(sha256));
  const header = JSON.stringify({ format: "linkage-bid-1", ...names, nonce: base64(nonce), recipients, pieces: hashes });
  const ciphertext = await encrypt(key, nonce, header, payload);
  const digest = await sha256(utf8(header));
  const parts = await Promise.all(SEATS.map((seat) => partFor(seat, recipients[seat - 1], names, digest, pieces)));
  for (const secret of [key, payload, ...pieces]) secret.fill(0);
  const manifest = utf8(JSON.stringify({
    header, ciphertext: { sha256: await sha256(ciphertext), bytes: ciphertext.length }, parts: await Promise.all(parts.map(sha256)),
  }));
  return { manifest, ciphertext, parts, commitment: await sha256(manifest) };
}

export class Refused extends Error {}  // its message is a code that the page puts into words

export const startOf = (tender, terms) => sha256(utf8(`linkage tender ${tender} ${terms}`));

// The list that was published at the closing: the chain is recomputed, and the deadline must have passed here too.
export async function checkClosing(text, tender, now = Date.now()) {
  const closing = JSON.parse(text);
  if (closing.tender !== tender) throw new Refused("other-tender");
  if (now < Date.parse(closing.deadline)) throw new Refused("too-early");
  let head = await startOf(tender, closing.terms);
  for (const entry of closing.entries) head = await sha256(utf8(head + entry));
  if (head !== closing.head) throw new Refused("chain");
  return closing.entries.map((entry) => JSON.parse(entry));
}

// An officer's part of one bid. `open` decrypts an age file with the officer's key. Returns the two pieces {seat: hex}.
export async function openPart(bid, { tender, seat, entries, open }) {
  const entry = entries.find((one) => one.place === bid.place && one.kind === "sealed");
  if (!entry || entry.commitment !== await sha256(bid.manifest)) throw new Refused("not-on-the-list");
  const manifest = parse(bid.manifest), header = JSON.parse(manifest.header);
  if (header.tender !== tender) throw new Refused("other-tender");
  if (header.organisation !== entry.organisation || header.version !== entry.version) throw new Refused("other-bid");
  if (manifest.parts[seat - 1] !== await sha256(bid.part)) throw new Refused("changed");
  const part = await opened(bid.part, open);
  if (part.tender !== tender) throw new Refused("other-tender");
  const own = part.format === "linkage-part-1" && part.organisation === entry.organisation && part.version === entry.version
    && part.seat === seat && part.header === await sha256(utf8(manifest.header));
  if (!own) throw new Refused("other-bid");
  return piecesOf(part, seat, header);
}

async function opened(file, open) {
  try { return parse(await open(file)); } catch { throw new Refused("unreadable"); }
}

async function piecesOf(part, seat, header) {
  const found = {};
  for (const other of SEATS.filter((one) => one !== seat)) {
    const piece = part.pieces?.[other];
    if (!/^[0-9a-f]{64}$/.test(piece ?? "")) throw new Refused("bad-piece");
    const bytes = Uint8Array.from(piece.match(/../g), (pair) => parseInt(pair, 16));
    if (await sha256(bytes) !== header.pieces[other - 1]) throw new Refused("bad-piece");
    found[other] = piece;
  }
  return found;
}
