// One file for the pages (scripts/vendor_assets.py bundles it): its SHA-256 can be published and compared.
import { bidPage } from "./bid_page.js";
import { officerPage } from "./officer_page.js";

export * from "./bytes.js";
export * from "./key.js";
export * from "./protocol.js";
export { fen } from "./bid_page.js";

for (const form of document.querySelectorAll("form[data-seal]")) bidPage(form);
for (const form of document.querySelectorAll("form[data-officer]")) officerPage(form);
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
