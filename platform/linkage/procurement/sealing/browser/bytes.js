// Bytes: hashes, base64, random, joining. Nothing here knows what a bid is.
const encoder = new TextEncoder();

export const utf8 = (text) => encoder.encode(text);
export const random = (length) => crypto.getRandomValues(new Uint8Array(length));
export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const sha256 = async (bytes) => hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
export const unbase64 = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

export function join(...blocks) {
  const all = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) { all.set(block, at); at += block.length; }
  return all;
}

export function xor(...blocks) {
  const all = new Uint8Array(blocks[0].length);
  for (const block of blocks) block.forEach((byte, at) => { all[at] ^= byte; });
  return all;
}

// Exactly `length` bytes of strict JSON text, or an error: what was sent is what is hashed, never written anew.
export const parse = (bytes) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
