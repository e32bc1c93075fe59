// One file for the pages (scripts/vendor_assets.py bundles it): its SHA-256 can be published and compared.
export * from "./bytes.js";
export * from "./key.js";
export * from "./protocol.js";
