// Maps without outside tiles: own markers and hulls on a plain ground. One element #map, its data-* say what it shows.
(() => {
  "use strict";
  const box = document.getElementById("map");
  if (!box || typeof L === "undefined") return;
  const data = box.dataset;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(box, { preferCanvas: true, zoomControl: false, fadeAnimation: !still, zoomAnimation: !still, attributionControl: false, maxZoom: 19, minZoom: 9 });
  L.control.zoom({ zoomInTitle: data.zoomIn, zoomOutTitle: data.zoomOut }).addTo(map);
  map.setView([Number(data.lat), Number(data.lon)], Number(data.zoom));
  if (data.tiles) L.tileLayer(data.tiles, { maxZoom: 19 }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);

  const words = (text, href) => {
    const part = document.createElement(href ? "a" : "span");
    part.textContent = text;
    if (href) part.href = href;
    return part;
  };
  const read = (url) => fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" }).then((answer) => answer.ok ? answer.json() : []);

  // --- a door: press, drag, or take the middle; what is chosen stands in the field
  if (data.field) {
    const field = document.getElementById(data.field), system = document.getElementById(data.system);
    const icon = L.divIcon({ className: "map-pin", iconSize: [28, 28], iconAnchor: [14, 14] });
    let pin = null;
    const choose = (at, write = true) => {
      if (!pin) {
        pin = L.marker(at, { draggable: true, icon, keyboard: false }).addTo(map);
        pin.on("dragend", () => choose(pin.getLatLng()));
      }
      pin.setLatLng(at);
      if (!write) return;
      field.value = `${at.lat.toFixed(6)}, ${at.lng.toFixed(6)}`;
      if (system) system.value = "wgs84";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    if (data.pinned) { const [lat, lon] = JSON.parse(data.pinned); choose(L.latLng(lat, lon), false); }
    map.on("click", (event) => choose(event.latlng));
    document.querySelector("[data-map-centre]")?.addEventListener("click", () => choose(map.getCenter()));
  }
  if (data.estates) read(data.estates).then((rows) => {
    for (const row of rows) {
      const dot = L.circleMarker(row.at, { radius: 6, color: colour("accent"), weight: 2, fillOpacity: .25 }).addTo(map);
      dot.bindTooltip(words(row.name));
      dot.on("click", (event) => map.fire("click", { latlng: event.latlng }));
    }
  });

  // --- homes by state, with the hull of each community
  const TONES = { unmet: "bad", asked: "warn", planned: "info", served: "ok", none: "ink-2" };
  function hull(points) {  // Andrew's monotone chain
    const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const half = (rows) => rows.reduce((chain, p) => {
      while (chain.length > 1 && turn(chain[chain.length - 2], chain[chain.length - 1], p) <= 0) chain.pop();
      return [...chain, p];
    }, []);
    const turn = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
    return [...half(sorted).slice(0, -1), ...half(sorted.reverse()).slice(0, -1)];
  }
  if (data.homes) read(data.homes).then((found) => {
    if (!found.homes) return;
    const outlined = new Set(found.outlines.map((one) => one.area));
    for (const one of found.outlines)
      L.geoJSON({ type: "MultiPolygon", coordinates: one.polygons }, { style: { color: colour("ink-2"), weight: 1, fillOpacity: .04 }, interactive: false }).addTo(map);
    const groups = new Map();
    for (const home of found.homes) groups.set(home.area, [...(groups.get(home.area) ?? []), home.at]);
    for (const [area, points] of groups)
      if (!outlined.has(area) && points.length > 2)
        L.polygon(hull(points), { color: colour("ink-2"), weight: 1, dashArray: "4 4", fillOpacity: .04, interactive: false }).addTo(map);
    const cluster = L.markerClusterGroup({ chunkedLoading: true, showCoverageOnHover: false, animate: !still, maxClusterRadius: 44,
      iconCreateFunction: (group) => L.divIcon({ className: "map-cluster", iconSize: [40, 40], html: words(String(group.getChildCount())) }) });
    for (const home of found.homes) {
      const tone = colour(TONES[home.state] ?? "ink-2");
      const dot = L.circleMarker(home.at, { radius: 7, color: tone, fillColor: tone, fillOpacity: .6, weight: 2 });
      const label = document.createElement("div");
      label.append(words(found.words[home.state] ?? ""), document.createElement("br"), words(home.name, home.url));
      dot.bindPopup(label);
      cluster.addLayer(dot);
    }
    map.addLayer(cluster);
    if (found.homes.length) map.fitBounds(cluster.getBounds().pad(.1), { animate: false });
  });
})();
