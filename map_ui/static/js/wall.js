/* The wall's course of events: first data, drilling down and up, what is at a point. */
"use strict";

GIS.start = () => {
  const { map, state } = GIS;
  const root = document.documentElement;
  const asked = (root.dataset.layers || "").split(",");
  let askedUnit = 0;
  const chosen = L.layerGroup().addTo(map);
  const focus = L.layerGroup().addTo(map);

  map.createPane("marks").classList.add("still");
  map.createPane("outline").classList.add("still");
  map.createPane("live").classList.add("still");

  /* The part of the map that no panel lies over, as Leaflet's padding. */
  function padding() {
    const gap = 0.8 * parseFloat(getComputedStyle(root).fontSize);
    const wide = matchMedia("(min-width: 60rem)").matches;
    if (!wide) return { paddingTopLeft: [8, 8], paddingBottomRight: [8, 8] };
    const edge = (side, name) => document.querySelector(side)?.getBoundingClientRect()[name];
    return {
      paddingTopLeft: [(edge(".left", "right") || 0) + gap, (edge(".head", "bottom") || 0) + gap],
      paddingBottomRight: [
        innerWidth - (edge(".right", "left") || innerWidth) + gap,
        innerHeight - (edge(".legend", "top") || innerHeight) + gap,
      ],
    };
  }

  function bounds([west, south, east, north]) {
    return L.latLngBounds([south, west], [north, east]);
  }

  function whole(animate) {
    if (!state.wall) return;
    map.fitBounds(bounds(state.wall.unit.bbox), { ...padding(), animate, maxZoom: 18 });
  }

  /* Show a unit: its figures, its place on the map, its events. */
  async function open(unit, remember) {
    const turn = (askedUnit += 1);
    let wall = null;
    try {
      wall = await GIS.json(`/api/wall/${encodeURIComponent(unit)}`);
    } catch {
      GIS.tell("refused", unit);
      return;
    }
    if (turn !== askedUnit) return;
    const first = state.wall === null;
    state.unit = unit;
    state.wall = wall;
    if (remember) history.pushState({ unit }, "", `/wall/${encodeURIComponent(unit)}`);
    GIS.tell("wall", wall);
    whole(!first && !GIS.calm.matches);
    GIS.feed.open(unit);
    if (wall.unit.level === "county") {
      // nothing is beyond the county, so nothing is asked for there
      GIS.tiles.options.bounds = bounds(wall.unit.bbox).pad(0.02);
    }
    if (first) map.addLayer(GIS.tiles).addLayer(GIS.marks).addLayer(GIS.points);
    if (wall.unit.level === "county") clear(focus);
    else surround(unit);
  }

  /* Draw the outline of one area above everything, as an overlay, so that no tile covers it. */
  async function mark(grid) {
    const address = `/api/layers/grids/items/${encodeURIComponent(grid)}`;
    const feature = await GIS.json(address).catch(() => null);
    clear(chosen);
    if (feature) chosen.addLayer(L.geoJSON(feature, { pane: "outline", style: style("outline", false) }));
  }

  /* Darken what lies outside the unit on screen. */
  async function surround(unit) {
    const address = `/api/layers/units/items/${encodeURIComponent(unit)}`;
    const feature = await GIS.json(address).catch(() => null);
    clear(focus);
    if (!feature || state.unit !== unit) return;
    const { type, coordinates } = feature.geometry;
    const shells = (type === "MultiPolygon" ? coordinates : [coordinates]).map(([shell]) =>
      shell.map(([lon, lat]) => [lat, lon]),
    );
    const world = [[-85, -180], [-85, 180], [85, 180], [85, -180]];
    const look = style("shade", true);
    focus.addLayer(L.polygon([world, ...shells], { pane: "outline", ...look }));
  }

  function style(className, fill) {
    return { className, fill, interactive: false, fillOpacity: 0.6, opacity: 1 };
  }

  function clear(group) {
    group.clearLayers();
  }

  /* What is at a point; a click also goes one level down towards it. */
  async function ask(event) {
    const { lat, lng } = event.latlng;
    const at = await GIS.json(`/api/at?lon=${lng.toFixed(7)}&lat=${lat.toFixed(7)}`).catch(() => null);
    if (!at) return;
    const worker = GIS.points.near(event.layerPoint, 14 * GIS.factor());
    GIS.tell("at", { at, worker });
    const below = next(at);
    if (worker || !at.town) return;
    if (below) open(below.code, true);
    else if (at.grid) mark(at.grid.code);
  }

  /* The unit one level below the one on screen that holds the point, if it is not shown already. */
  function next(at) {
    const { level, code } = state.wall.unit;
    if (level === "county") return at.town;
    if (level === "town") return at.town.code === code ? at.village : at.town;
    return at.village && at.village.code !== code ? at.village : null;
  }

  /* Fetch tiles anew when a layer on show has changed within sight. */
  function changed({ layer, box }) {
    const isShown = GIS.tiled().some(({ name }) => name === layer) && !state.off.has(layer);
    if (!isShown || changed.later || (box && !map.getBounds().intersects(bounds(box)))) return;
    // a burst of changes is fetched once
    changed.later = setTimeout(() => {
      changed.later = null;
      GIS.tiles.refetch();
    }, 2000);
  }

  async function takeLayers() {
    const all = await GIS.json("/api/layers");
    state.layers = all
      .filter((layer) => asked.includes(layer.name))
      .sort((a, b) => a.style.order - b.style.order);
    GIS.tell("layers", state.layers);
  }

  map.on("click", ask);
  GIS.on("drill", (code) => {
    const grid = state.wall.unit.level === "village" && state.wall.unit.children.find((one) => one.code === code);
    if (!grid) {
      open(code, true);
      return;
    }
    map.fitBounds(bounds(grid.bbox), { ...padding(), animate: !GIS.calm.matches });
    mark(code);
  });
  GIS.on("whole", () => whole(!GIS.calm.matches));
  GIS.on("fly", ({ lon, lat }) => {
    if (typeof lon === "number") map.setView([lat, lon], Math.max(map.getZoom(), 15), { animate: !GIS.calm.matches });
  });
  GIS.on("place", (place) => place === null && clear(chosen));
  GIS.on("ver", changed);
  addEventListener("popstate", () => open(location.pathname.split("/").pop(), false));

  Promise.all([GIS.speak(state.language), takeLayers()]).then(() => open(state.unit, false));
};
