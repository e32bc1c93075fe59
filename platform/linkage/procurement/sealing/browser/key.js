// The page's side of the officer's key (see worker.js).
export function keyholder(url) {
  const worker = new Worker(url, { type: "module" });
  const waiting = new Map();
  let count = 0;
  worker.addEventListener("message", ({ data: { number, result, error } }) => {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (error === undefined) resolve(result); else reject(new Error(error));
  });
  worker.addEventListener("error", (event) => { for (const { reject } of waiting.values()) reject(new Error(event.message)); });
  const ask = (task, given = {}) => new Promise((resolve, reject) => {
    waiting.set(++count, { resolve, reject });
    worker.postMessage({ number: count, task, ...given });
  });
  return {
    make: (passphrase) => ask("make", { passphrase }),
    unlock: (file, passphrase) => ask("unlock", { file, passphrase }),
    open: async (file) => (await ask("open", { file })).plain,
    forget: () => ask("forget"),
  };
}
