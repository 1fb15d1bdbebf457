/* The signs of the map and the legend: one path each in a box of 24 × 24. */
"use strict";

GIS.symbols = (() => {
  const CIRCLE = "M12 5a7 7 0 1 0 0 14a7 7 0 1 0 0-14z";
  const PATHS = {
    "": CIRCLE,
    dot: "M12 7.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z",
    square: "M6.5 6.5h11v11h-11z",
    diamond: "M12 3.5l8.5 8.5l-8.5 8.5l-8.5-8.5z",
    triangle: "M12 4l8 14.5h-16z",
    cross: "M9.5 4h5v5.5h5.5v5h-5.5v5.5h-5v-5.5h-5.5v-5h5.5z",
    star: "M12 3l2.7 5.8l6.3.7l-4.7 4.3l1.3 6.2l-5.6-3.2l-5.6 3.2l1.3-6.2l-4.7-4.3l6.3-.7z",
    camera: "M3.5 8h11v8h-11z M15.5 11l5-3v8l-5-3z",
    alert: "M12 2.5l9.5 9.5l-9.5 9.5l-9.5-9.5z",
    worker: "M12 3.5a3.7 3.7 0 1 0 0 7.4a3.7 3.7 0 1 0 0-7.4z M4.8 20.5c0-5.4 3-8 7.2-8s7.2 2.6 7.2 8z",
  };
  const STROKED = { "camera-hollow": "camera" };
  const CROSSED = { "camera-crossed": "camera" };
  const SLASH = new Path2D("M4 20L20 4");
  const made = new Map();

  function path(symbol) {
    const name = STROKED[symbol] || CROSSED[symbol] || symbol;
    if (!made.has(name)) made.set(name, new Path2D(PATHS[name] || CIRCLE));
    return made.get(name);
  }

  /* Draw a sign with its centre at (x, y), `size` pixels across, with a rim that sets it off. */
  function draw(context, symbol, x, y, size, colour, rim) {
    context.save();
    context.translate(x - size / 2, y - size / 2);
    context.scale(size / 24, size / 24);
    context.lineJoin = "round";
    context.lineWidth = 4;
    context.strokeStyle = rim;
    context.stroke(path(symbol));
    if (symbol in STROKED) {
      context.fillStyle = rim;
      context.fill(path(symbol));
      context.strokeStyle = colour;
      context.lineWidth = 2.2;
      context.stroke(path(symbol));
    } else {
      context.fillStyle = colour;
      context.fill(path(symbol));
    }
    if (symbol in CROSSED) {
      for (const [width, ink] of [[5, rim], [2.6, colour]]) {
        context.lineWidth = width;
        context.strokeStyle = ink;
        context.stroke(SLASH);
      }
    }
    context.restore();
  }

  /* A small canvas with the sign, or the line or area of a mark, for the legend. */
  function sample(layer, mark, step = "") {
    const { shape } = layer;
    const canvas = document.createElement("canvas");
    const edge = Math.round(18 * GIS.factor() * Math.min(2, window.devicePixelRatio || 1));
    canvas.width = canvas.height = edge;
    canvas.className = "sample";
    canvas.setAttribute("aria-hidden", "true");
    const pen = canvas.getContext("2d");
    const colour = GIS.colour(step === "" ? mark.colour : `${mark.colour}-${step}`);
    if (shape === "point") draw(pen, mark.symbol, edge / 2, edge / 2, edge, colour, GIS.colour("halo"));
    else if (shape === "line" || mark.symbol === "dashed") line(pen, edge, mark, colour);
    else area(pen, edge, mark, colour, GIS.paint.OUTLINED.has(layer.name) ? 0 : fillOpacity(mark, step));
    return canvas;
  }

  function line(pen, edge, mark, colour) {
    pen.strokeStyle = colour;
    pen.lineWidth = Math.min(5, Math.max(1.5, mark.width_px)) * (edge / 18);
    if (mark.symbol === "dashed") pen.setLineDash([edge / 4, edge / 6]);
    pen.beginPath();
    pen.moveTo(0, edge * 0.75);
    pen.lineTo(edge, edge * 0.25);
    pen.stroke();
  }

  function fillOpacity(mark, step) {
    return mark.opacity * (step === "" ? 1 : GIS.paint.RAMP_OPACITY);
  }

  function area(pen, edge, mark, colour, opacity) {
    pen.globalAlpha = opacity;
    pen.fillStyle = mark.symbol === "hatched" ? GIS.paint.hatch(pen, mark.colour) : colour;
    pen.fillRect(1, 1, edge - 2, edge - 2);
    pen.globalAlpha = 1;
    pen.strokeStyle = colour;
    pen.lineWidth = Math.max(1, mark.width_px * 0.8) * (edge / 18);
    pen.strokeRect(1, 1, edge - 2, edge - 2);
  }

  return { draw, sample };
})();
