/* Names on the map, placed one after another so that none lies over another or over a sign. */
"use strict";

GIS.Labels = class {
  static LONGEST = 18;

  constructor() {
    this.boxes = [];
    this.later = [];
  }

  /* Take the room of a box, or say that somebody has it. */
  take(left, top, right, bottom) {
    for (const box of this.boxes) {
      if (left < box[2] && right > box[0] && top < box[3] && bottom > box[1]) return false;
    }
    this.boxes.push([left, top, right, bottom]);
    return true;
  }

  /* Write a name centred at (x, y) if there is room; `pen` carries font and colours. */
  write(pen, name, x, y, height, clearance = 2) {
    const text = name.length > GIS.Labels.LONGEST ? `${name.slice(0, GIS.Labels.LONGEST - 1)}…` : name;
    const half = pen.measureText(text).width / 2 + clearance;
    const tall = height / 2 + clearance;
    if (!this.take(x - half, y - tall, x + half, y + tall)) return false;
    const { font, fillStyle } = pen;
    this.later.push(() => {
      Object.assign(pen, { font, fillStyle });
      pen.strokeText(text, x, y);
      pen.fillText(text, x, y);
    });
    return true;
  }

  /* Write what has found its place, above all signs. */
  finish() {
    for (const write of this.later) write();
  }
};

/* Counts of points, gathered so that they stand apart; no point is lost, only its place blurs. */
GIS.Counts = class {
  constructor() {
    this.edge = 168 * GIS.factor();
    this.found = new Map();
  }

  add(layer, count, { x, y }) {
    const key = `${Math.floor(x / this.edge)},${Math.floor(y / this.edge)}`;
    if (!this.found.has(key)) this.found.set(key, { total: 0, x: 0, y: 0, counts: new Map() });
    const cell = this.found.get(key);
    cell.total += count;
    cell.x += x * count;
    cell.y += y * count;
    cell.counts.set(layer, (cell.counts.get(layer) || 0) + count);
  }

  /* Fullest first: {x, y, counts by layer}, at the middle of what was gathered. */
  cells() {
    const places = [...this.found.values()];
    places.sort((a, b) => b.total - a.total);
    return places.map(({ total, x, y, counts }) => ({ x: x / total, y: y / total, counts }));
  }
};
