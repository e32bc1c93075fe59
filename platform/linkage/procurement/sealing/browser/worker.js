// The officer's key lives here alone: made here, unlocked here, used here. scrypt takes a second or two, and would stall
// the page. The key file is an age file under the passphrase and holds the age identity as text: `age` opens it as well.
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";

const WORK_FACTOR = 18;
let identity = null;

const plain = (passphrase) => passphrase.normalize("NFKC");

const tasks = {
  async make({ passphrase }) {
    identity = await generateX25519Identity();
    const age = new Encrypter();
    age.setPassphrase(plain(passphrase));
    age.setScryptWorkFactor(WORK_FACTOR);
    return { recipient: await identityToRecipient(identity), file: await age.encrypt(`${identity}\n`) };
  },
  async unlock({ passphrase, file }) {
    identity = null;
    const age = new Decrypter();
    age.addPassphrase(plain(passphrase));
    const text = (await age.decrypt(file, "text")).trim();
    const recipient = await identityToRecipient(text);
    identity = text;
    return { recipient };
  },
  async open({ file }) {
    if (!identity) throw new Error("locked");
    const age = new Decrypter();
    age.addIdentity(identity);
    return { plain: await age.decrypt(file) };
  },
  async forget() { identity = null; return {}; },
};

addEventListener("message", async ({ data: { number, task, ...given } }) => {
  try { postMessage({ number, result: await tasks[task](given) }); } catch (error) { postMessage({ number, error: String(error?.message ?? error) }); }
});
