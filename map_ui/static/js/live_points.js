/* Workers on duty, gliding from report to report, and pulses where an incident has come in. */
"use strict";

GIS.LivePoints = (() => {
  const GLIDE_MS = 900;
  // a software-drawn 4K screen keeps up with this; more would cost the map its frames
  const FRAME_MS = 40;
  const PULSES = 5;
  const LATEST = 20;
  // slower than three flashes a second, whatever the urgency
  const PULSE_MS = 1100;

  const NUMBERS = ["x0", "y0", "x1", "y1", "since", "at"];

  /* Columns of numbers that grow: where each worker was, where it goes, since when. */
  class Columns {
    constructor(room = 512) {
      this.ids = [];
      this.posts = [];
      this.places = new Map();
      for (const name of NUMBERS) this[name] = new Float64Array(room);
    }

    get length() {
      return this.ids.length;
    }

    row(id) {
      if (!this.places.has(id)) {
        if (this.length === this.x0.length) this._grow();
        this.places.set(id, this.length);
        this.ids.push(id);
        this.since[this.length - 1] = -1;
      }
      return this.places.get(id);
    }

    /* Who goes off duty is not shown any more; the last row takes the place. */
    leave(id) {
      const row = this.places.get(id);
      if (row === undefined) return;
      const last = this.length - 1;
      for (const name of NUMBERS) this[name][row] = this[name][last];
      this.ids[row] = this.ids[last];
      this.posts[row] = this.posts[last];
      this.places.set(this.ids[row], row);
      this.places.delete(id);
      this.ids.pop();
      this.posts.length = last;
    }

    _grow() {
      for (const name of NUMBERS) {
        const wider = new Float64Array(this[name].length * 2);
        wider.set(this[name]);
        this[name] = wider;
      }
    }
  }

  function glided(since, now) {
    if (GIS.calm.matches) return 1;
    const part = Math.min(1, Math.max(0, (now - since) / GLIDE_MS));
    return part * part * (3 - 2 * part);
  }

  return GIS.Overlay.extend({
    initialize() {
      GIS.Overlay.prototype.initialize.call(this, "live");
      this.workers = new Columns();
      this.pulses = [];
      this.latest = new Map();
      GIS.on("wall", (wall) => this.show(wall.incidents));
      GIS.on("snap", (told) => this.replace(told.workers));
      GIS.on("pos", (told) => this.move(told.workers || told));
      GIS.on("inc", (incident) => this.pulse(incident));
      for (const subject of ["theme", "toggle"]) GIS.on(subject, () => this.redraw());
    },

    replace(columns) {
      this.workers = new Columns();
      if (columns && columns.id) this.move(columns);
    },

    move(columns) {
      const now = performance.now();
      const held = this.workers;
      for (let i = 0; i < columns.id.length; i += 1) {
        if (columns.lon[i] === null) {
          held.leave(columns.id[i]);
          continue;
        }
        const { x, y } = L.CRS.EPSG3857.latLngToPoint(L.latLng(columns.lat[i], columns.lon[i]), 0);
        const row = held.row(columns.id[i]);
        const known = held.since[row] >= 0;
        const part = known ? glided(held.since[row], now) : 1;
        held.x0[row] = known ? held.x0[row] + (held.x1[row] - held.x0[row]) * part : x;
        held.y0[row] = known ? held.y0[row] + (held.y1[row] - held.y0[row]) * part : y;
        [held.x1[row], held.y1[row], held.since[row]] = [x, y, now];
        held.at[row] = Date.parse(columns.at[i]);
        if (columns.post) held.posts[row] = columns.post[i];
      }
      this._animateUntil(now + GLIDE_MS);
      GIS.tell("workers", held.length);
    },

    /* The latest incidents stand on the map at every zoom. */
    show(incidents) {
      this.latest.clear();
      for (const incident of [...incidents].reverse()) this._keep(incident);
      this.redraw();
    },

    _keep(incident) {
      if (typeof incident.lon !== "number") return null;
      const { x, y } = L.CRS.EPSG3857.latLngToPoint(L.latLng(incident.lat, incident.lon), 0);
      this.latest.delete(incident.id);
      this.latest.set(incident.id, { x, y, urgency: incident.urgency });
      if (this.latest.size > LATEST) this.latest.delete(this.latest.keys().next().value);
      return { x, y };
    },

    pulse(incident) {
      const place = this._keep(incident);
      if (!place) return;
      const { x, y } = place;
      const since = performance.now();
      this.pulses.push({ x, y, urgency: incident.urgency, since });
      this._animateUntil(since + PULSES * PULSE_MS);
    },

    _animateUntil(end) {
      this._end = Math.max(this._end || 0, end);
      if (this._timer) return;
      this._timer = setInterval(() => {
        if (!document.hidden) this.redraw();
        if (performance.now() < this._end) return;
        clearInterval(this._timer);
        this._timer = null;
      }, FRAME_MS);
      this.redraw();
    },

    draw(pen) {
      const now = performance.now();
      const zoom = this._map.getZoom();
      const scale = 2 ** zoom;
      const origin = this._map.getPixelOrigin();
      if (!GIS.state.off.has("workers")) this._drawWorkers(pen, now, scale, origin, zoom);
      if (!GIS.state.off.has("incidents")) {
        this._drawLatest(pen, scale, origin);
        this._drawPulses(pen, now, scale, origin);
      }
    },

    _drawWorkers(pen, now, scale, origin, zoom) {
      const held = this.workers;
      const size = (zoom < 12 ? 6.5 : 15) * GIS.factor();
      const sprite = this._sprite(zoom < 12 ? "dot" : "worker", size);
      const { min, max } = this._bounds;
      for (let i = 0; i < held.length; i += 1) {
        const part = glided(held.since[i], now);
        const x = (held.x0[i] + (held.x1[i] - held.x0[i]) * part) * scale - origin.x;
        const y = (held.y0[i] + (held.y1[i] - held.y0[i]) * part) * scale - origin.y;
        if (x < min.x || y < min.y || x > max.x || y > max.y) continue;
        pen.drawImage(sprite, x - size, y - size, 2 * size, 2 * size);
      }
    },

    /* The sign drawn once, then copied for everybody. */
    _sprite(symbol, size) {
      const key = [symbol, size, this._ratio, GIS.colour("worker")].join();
      if (this._spriteKey !== key) {
        const sheet = document.createElement("canvas");
        sheet.width = sheet.height = Math.ceil(2 * size * this._ratio);
        const pen = sheet.getContext("2d");
        pen.scale(this._ratio, this._ratio);
        const across = symbol === "dot" ? 2 * size : 1.3 * size;
        GIS.symbols.draw(pen, symbol, size, size, across, GIS.colour("worker"), GIS.colour("halo"));
        this._spriteKey = key;
        this._sheet = sheet;
      }
      return this._sheet;
    },

    _drawLatest(pen, scale, origin) {
      const size = 17 * GIS.factor();
      const rim = GIS.colour("halo");
      for (const { x, y, urgency } of this.latest.values()) {
        GIS.symbols.draw(pen, "alert", x * scale - origin.x, y * scale - origin.y, size, GIS.colour(urgency), rim);
      }
    },

    _drawPulses(pen, now, scale, origin) {
      this.pulses = this.pulses.filter((pulse) => now - pulse.since < PULSES * PULSE_MS);
      for (const pulse of this.pulses) {
        const part = GIS.calm.matches ? 0.5 : ((now - pulse.since) % PULSE_MS) / PULSE_MS;
        pen.beginPath();
        pen.arc(pulse.x * scale - origin.x, pulse.y * scale - origin.y, (6 + 26 * part) * GIS.factor(), 0, 7);
        pen.globalAlpha = 1 - part;
        pen.lineWidth = 3 * GIS.factor();
        pen.strokeStyle = GIS.colour(pulse.urgency || "blue");
        pen.stroke();
        pen.globalAlpha = 1;
      }
    },

    /* The room that the latest incidents take, so that nothing is written over them. */
    boxes() {
      if (!this._map || GIS.state.off.has("incidents")) return [];
      const scale = 2 ** this._map.getZoom();
      const origin = this._map.getPixelOrigin();
      const half = 8 * GIS.factor();
      return [...this.latest.values()].map((one) => {
        const [x, y] = [one.x * scale - origin.x, one.y * scale - origin.y];
        return [x - half, y - half, x + half, y + half];
      });
    },

    /* The worker nearest to a layer point within `reach` pixels, or null. */
    near(point, reach) {
      const held = this.workers;
      const scale = 2 ** this._map.getZoom();
      const origin = this._map.getPixelOrigin();
      let [best, closest] = [null, reach];
      for (let i = 0; i < held.length; i += 1) {
        const apart = Math.hypot(
          held.x1[i] * scale - origin.x - point.x,
          held.y1[i] * scale - origin.y - point.y,
        );
        if (apart < closest) {
          closest = apart;
          best = { id: held.ids[i], post: held.posts[i], at: held.at[i] };
        }
      }
      return best;
    },
  });
})();
