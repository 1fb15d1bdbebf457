/* Turns a layer's style (palette words) into strokes and fills on a canvas. */
"use strict";

GIS.paint = (() => {
  const DASHES = { dashed: [6, 4], dotted: [1.5, 3] };
  const OUTLINED = new Set(["units", "grids", "blocks", "people"]);
  // a choropleth lies over the base map, which must stay readable
  const RAMP_OPACITY = 0.55;
  // most open ground of a mountain county is unseen: the hatch must not drown what lies below
  const HATCH_OPACITY = 0.42;
  // from here on single houses, views and blind ground tell more than a share does
  const RAMP_FADES_FROM = 13.5;
  // tile zoom from which grids are drawn from their own outlines
  const GRIDS_FROM = 11;
  const hatches = new Map();

  GIS.on("theme", () => hatches.clear());

  /* The mark of a feature: by the value of the style's attribute, else the mark of all others. */
  function markKey(layer, properties) {
    const { by, marks } = layer.style;
    const value = by ? String(properties[by] ?? "") : "";
    return value in marks ? value : "" in marks ? "" : null;
  }

  /* A share of 0 … 1 falls into one of five classes; unknown shares are not coloured. */
  function rampClass(value) {
    if (typeof value !== "number") return null;
    return Math.min(4, Math.max(0, Math.floor(value * 5)));
  }

  function isRamp(mark) {
    return mark.colour.endsWith("-ramp");
  }

  /* Features that are drawn alike, with one path for all of them. */
  function groups(layer, tileLayer) {
    const found = new Map();
    for (const feature of tileLayer.features) {
      if (feature.type === 1) continue;
      const key = markKey(layer, feature.properties);
      if (key === null) continue;
      const mark = layer.style.marks[key];
      const step = isRamp(mark) ? rampClass(rampValue(layer, feature.properties)) : "";
      if (step === null) continue;
      const name = `${key}|${step}|${feature.type}`;
      if (!found.has(name)) {
        found.set(name, { mark, step, type: feature.type, path: new Path2D() });
      }
      trace(found.get(name).path, feature);
    }
    return [...found.values()];
  }

  function rampValue(layer, properties) {
    return properties[layer.style.by || "unseen_share"];
  }

  function trace(path, feature) {
    for (const line of feature.lines) {
      path.moveTo(line[0], line[1]);
      for (let i = 2; i < line.length; i += 2) path.lineTo(line[i], line[i + 1]);
      if (feature.type === GIS.readTile.POLYGON) path.closePath();
    }
  }

  /* A 45° hatch whose lines join up from tile to tile (its period divides the tile). */
  function hatch(context, word) {
    if (hatches.has(word)) return hatches.get(word);
    const sheet = document.createElement("canvas");
    sheet.width = sheet.height = 8;
    const pen = sheet.getContext("2d");
    pen.strokeStyle = GIS.colour(word);
    pen.lineWidth = 1.6;
    pen.beginPath();
    for (const start of [-8, 0, 8]) {
      pen.moveTo(start - 1, 9);
      pen.lineTo(start + 9, -1);
    }
    pen.stroke();
    const pattern = context.createPattern(sheet, "repeat");
    hatches.set(word, pattern);
    return pattern;
  }

  /* Draw one group; `unit` is one screen pixel in tile units. */
  function drawGroup(context, layer, group, unit, zoom) {
    const { mark, step, type, path } = group;
    const word = step === "" ? mark.colour : `${mark.colour}-${step}`;
    const edge = edgeOf(layer, word);
    const width = mark.width_px * GIS.factor() * widening(edge === "grid" ? "grids" : layer.name, zoom);
    context.globalAlpha = mark.opacity * (step === "" ? 1 : rampOpacity(zoom));
    if (layer.name === "hotspots") context.globalAlpha *= 0.4;
    if (type === GIS.readTile.POLYGON && !OUTLINED.has(layer.name)) {
      fill(context, mark, path, word, unit);
      if (!edge) return;
      context.globalAlpha = 1;
    }
    context.strokeStyle = GIS.colour(edge || word);
    context.lineWidth = Math.max(width, layer.name === "hotspots" ? 2.4 : 0.5) * unit;
    context.setLineDash((DASHES[mark.symbol] || []).map((length) => length * unit));
    context.lineJoin = "round";
    context.stroke(path);
  }

  /* The colour word of the outline that an area is drawn with, if any. */
  function edgeOf(layer, word) {
    if (layer.name === "hotspots") return word;
    const standsIn = layer.name === "coverage" && !GIS.state.off.has("grids");
    return standsIn && GIS.tiles.tileZoom() < GRIDS_FROM ? "grid" : null;
  }

  function rampOpacity(zoom) {
    return RAMP_OPACITY * Math.min(1, Math.max(0.25, 1 - (zoom - RAMP_FADES_FROM) / 2));
  }

  function fill(context, mark, path, word, unit) {
    if (mark.symbol !== "hatched") {
      context.fillStyle = GIS.colour(word);
      context.fill(path);
      return;
    }
    const pattern = hatch(context, word);
    pattern.setTransform(new DOMMatrix().scale(unit));
    context.globalAlpha *= HATCH_OPACITY;
    context.fillStyle = pattern;
    context.fill(path);
  }

  /* Roads and rivers grow with the zoom, borders do not; fine lines fade in from far away. */
  function widening(name, zoom) {
    if (name === "streets") return Math.min(4, Math.max(0.45, 2 ** ((zoom - 13) / 2)));
    if (name === "waters") return Math.min(3.5, Math.max(0.5, 2 ** ((zoom - 12) / 2.2)));
    if (name === "grids") return Math.min(1.6, Math.max(0.55, (zoom - 7) / 5));
    return 1;
  }

  return { groups, drawGroup, markKey, isRamp, hatch, RAMP_OPACITY, OUTLINED, GRIDS_FROM };
})();
