/* Signs of points, counts and names, drawn over the tiles on one canvas. */
"use strict";

/* A canvas that moves with the map and is drawn anew when the map comes to rest. */
GIS.Overlay = L.Renderer.extend({
  options: { padding: 0.05 },

  initialize(paneName) {
    L.Renderer.prototype.initialize.call(this, { pane: paneName });
  },

  _initContainer() {
    this._container = document.createElement("canvas");
    this._container.className = "overlay";
    this._pen = this._container.getContext("2d");
  },

  /* Renderer's hook for the paths it holds; these overlays hold none. */
  _updatePaths() {},

  _destroyContainer() {
    L.DomUtil.remove(this._container);
    delete this._container;
  },

  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    const size = this._bounds.getSize();
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    L.DomUtil.setPosition(this._container, this._bounds.min);
    this._container.width = Math.round(size.x * ratio);
    this._container.height = Math.round(size.y * ratio);
    this._container.style.width = `${size.x}px`;
    this._container.style.height = `${size.y}px`;
    this._ratio = ratio;
    this.redraw();
  },

  /* Draw in layer points of the map; anything may ask for it, it happens once a frame. */
  redraw() {
    if (this._waiting || !this._map) return;
    this._waiting = true;
    requestAnimationFrame(() => {
      this._waiting = false;
      if (!this._map || !this._bounds || !this._container) return;
      const { x, y } = this._bounds.min;
      const pen = this._pen;
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, this._container.width, this._container.height);
      pen.setTransform(this._ratio, 0, 0, this._ratio, -x * this._ratio, -y * this._ratio);
      this.draw(pen);
    });
  },
});

GIS.Marks = (() => {
  const FINISHED = new Set(["closed", "rated", "refused", "handled"]);

  return GIS.Overlay.extend({
    initialize() {
      GIS.Overlay.prototype.initialize.call(this, "marks");
      for (const subject of ["theme", "toggle", "language"]) GIS.on(subject, () => this.redraw());
    },

    onAdd(map) {
      GIS.Overlay.prototype.onAdd.call(this, map);
      GIS.tiles.on("drawn", this.redraw, this);
    },

    draw(pen) {
      const tiles = GIS.tiles.onScreen();
      const zoom = this._map.getZoom();
      const labels = new GIS.Labels();
      this._origin = this._map.getPixelOrigin();
      const shown = GIS.tiles.shown(GIS.tiles.tileZoom());
      this._names(pen, labels, tiles, shown, zoom, ["units"]);
      labels.boxes.push(...GIS.points.boxes());
      const counts = new GIS.Counts();
      for (const layer of shown.filter((one) => one.shape === "point").reverse()) {
        this._points(pen, labels, tiles, layer, zoom, counts);
      }
      for (const cell of counts.cells()) this._count(pen, labels, cell);
      this._names(pen, labels, tiles, shown, zoom, ["people", "grids", "waters", "streets"]);
      this._font(pen, 12, 500, "label");
      labels.finish();
    },

    /* Where a point of a tile is on the map, in layer points. */
    _place(tile, x, y, extent) {
      const { coords } = tile;
      const stretch = this._map.getZoomScale(this._map.getZoom(), coords.z);
      const edge = GIS.tiles.getTileSize().x;
      return L.point(
        (coords.x + x / extent) * edge * stretch - this._origin.x,
        (coords.y + y / extent) * edge * stretch - this._origin.y,
      );
    },

    /* Signs of one layer; features with a number `n` stand for that many points. */
    _points(pen, labels, tiles, layer, zoom, counts) {
      const size = 15 * GIS.factor() * Math.min(1.25, Math.max(0.6, (zoom - 6) / 8));
      for (const tile of tiles) {
        const held = tile.layers.get(layer.name);
        if (!held) continue;
        for (const feature of held.features) {
          const [x, y] = feature.lines[0] || [];
          // a point in the margin of a tile belongs to the neighbour
          if (x === undefined || x < 0 || y < 0 || x >= held.extent || y >= held.extent) continue;
          const place = this._place(tile, x, y, held.extent);
          if ("n" in feature.properties) counts.add(layer, feature.properties.n, place);
          else this._sign(pen, labels, layer, feature, place, size, zoom);
        }
      }
    },

    _sign(pen, labels, layer, feature, place, size, zoom) {
      const key = GIS.paint.markKey(layer, feature.properties);
      if (key === null) return;
      const mark = layer.style.marks[key];
      const { azimuth_deg: azimuth, name, state } = feature.properties;
      if (layer.name === "incidents" && FINISHED.has(state)) {
        this._trace(pen, place, mark, size);
        return;
      }
      if (typeof azimuth === "number" && zoom >= 15) this._wedge(pen, place, azimuth, size, mark);
      GIS.symbols.draw(pen, mark.symbol, place.x, place.y, size, GIS.colour(mark.colour), GIS.colour("halo"));
      labels.boxes.push([place.x - size / 2, place.y - size / 2, place.x + size / 2, place.y + size / 2]);
      const from = layer.style.label_from_zoom;
      if (name && from !== null && zoom >= from) {
        this._font(pen, 12, 500, "label");
        labels.write(pen, name, place.x, place.y + size / 2 + 9 * GIS.factor(), 13 * GIS.factor());
      }
    },

    /* What is over and done with: a faint dot, so that what is open stands out. */
    _trace(pen, place, mark, size) {
      pen.globalAlpha = 0.5;
      pen.fillStyle = GIS.colour(mark.colour);
      pen.beginPath();
      pen.arc(place.x, place.y, size * 0.13, 0, 7);
      pen.fill();
      pen.globalAlpha = 1;
    },

    /* A short fan towards where a camera looks, clockwise from north. */
    _wedge(pen, place, azimuth, size, mark) {
      const middle = ((azimuth - 90) * Math.PI) / 180;
      pen.save();
      pen.globalAlpha = 0.55;
      pen.fillStyle = GIS.colour(mark.colour);
      pen.beginPath();
      pen.moveTo(place.x, place.y);
      pen.arc(place.x, place.y, size * 1.5, middle - 0.5, middle + 0.5);
      pen.closePath();
      pen.fill();
      pen.restore();
    },

    /* How many points of each counted layer lie here: one pill, moved off names if it can be. */
    _count(pen, labels, cell) {
      const scale = GIS.factor();
      this._font(pen, 10.5, 600, "label");
      const parts = [...cell.counts].map(([layer, count]) => {
        const text = GIS.number(count);
        const mark = Object.values(layer.style.marks)[0];
        return { text, mark, width: pen.measureText(text).width + 19 * scale };
      });
      const half = parts.reduce((sum, part) => sum + part.width, 4 * scale) / 2;
      const tall = 8.5 * scale;
      const steps = [0, 0.7, -0.7].flatMap((aside) =>
        [0, 1, -1, 2, -2].map((step) => [cell.x + aside * half, cell.y + 2.2 * tall * step]),
      );
      const free = ([left, top]) => labels.take(left - half, top - tall, left + half, top + tall);
      const [middle, y] = steps.find(free) ?? [cell.x, cell.y];
      this._pill(pen, middle - half, y - tall, 2 * half, 2 * tall);
      let x = middle - half + 3 * scale;
      for (const { text, mark, width } of parts) {
        const ink = GIS.colour(mark.colour);
        GIS.symbols.draw(pen, mark.symbol, x + 7 * scale, y, 11 * scale, ink, "transparent");
        this._font(pen, 10.5, 600, "label");
        pen.textAlign = "left";
        pen.fillText(text, x + 14.5 * scale, y + 0.5);
        x += width;
      }
    },

    _pill(pen, left, top, width, height) {
      pen.beginPath();
      pen.roundRect(left, top, width, height, height / 2);
      pen.globalAlpha = 0.86;
      pen.fillStyle = GIS.colour("halo");
      pen.fill();
      pen.lineWidth = GIS.factor();
      pen.strokeStyle = GIS.colour("label-soft");
      pen.globalAlpha = 0.5;
      pen.stroke();
      pen.globalAlpha = 1;
    },

    _font(pen, size, weight, colour) {
      const family = getComputedStyle(document.body).fontFamily;
      pen.font = `${weight} ${size * GIS.factor()}px ${family}`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.lineJoin = "round";
      pen.lineWidth = 3.2 * GIS.factor();
      pen.strokeStyle = GIS.colour("halo");
      pen.fillStyle = GIS.colour(colour);
    },

    /* Names of areas and lines of the given layers, largest first. */
    _names(pen, labels, tiles, shown, zoom, order) {
      for (const name of order) {
        const layer = shown.find((one) => one.name === name);
        if (!layer || zoom < (layer.name === "people" ? 0 : layer.style.label_from_zoom ?? Infinity)) continue;
        const places = layer.shape === "line" ? this._lines(tiles, layer) : this._areas(tiles, layer);
        for (const place of places) this._name(pen, labels, layer, place, zoom);
      }
    },

    _name(pen, labels, layer, place, zoom) {
      const { level, text } = place;
      if (level === "county" || (level === "village" && zoom < 12)) return;
      const looks = {
        town: [15, 700, "label"],
        village: [12.5, 600, "label"],
      }[level] || [11.5, 500, "label-soft"];
      this._font(pen, ...looks);
      const height = looks[0] * 1.25 * GIS.factor();
      // a name wider than its area would only confuse whose it is
      if (layer.shape === "polygon" && pen.measureText(text).width > place.width * 1.6) return;
      labels.write(pen, text, place.at.x, place.at.y, height, 4);
    },

    /* What is written in an area: its name, or how many people live there. */
    _says(layer, properties) {
      if (layer.name !== "people") return properties.name;
      return properties.people ? GIS.number(properties.people) : "";
    },

    /* One place for each named area: the centre of mass of what is on screen of it. */
    _areas(tiles, layer) {
      const found = new Map();
      for (const tile of tiles) {
        const held = tile.layers.get(layer.name);
        for (const feature of held ? held.features : []) {
          const text = this._says(layer, feature.properties);
          if (feature.type !== GIS.readTile.POLYGON || !text) continue;
          const id = feature.properties.id ?? text;
          if (!found.has(id)) found.set(id, { text, level: feature.properties.level, mass: 0, x: 0, y: 0 });
          this._addMass(found.get(id), tile, held, feature);
        }
      }
      const places = [...found.values()].filter((one) => one.mass > 0);
      for (const one of places) {
        one.at = L.point(one.x / one.mass, one.y / one.mass);
        one.width = Math.sqrt(one.mass);
      }
      return places.sort((a, b) => b.mass - a.mass);
    },

    _addMass(sum, tile, held, feature) {
      const scale = this._place(tile, held.extent, 0, held.extent).x - this._place(tile, 0, 0, held.extent).x;
      for (const ring of feature.lines) {
        const mass = GIS.readTile.ringMass(ring);
        if (!mass) continue;
        const area = mass.area * (scale / held.extent) ** 2;
        const at = this._place(tile, mass.x, mass.y, held.extent);
        sum.mass += area;
        sum.x += at.x * area;
        sum.y += at.y * area;
      }
    },

    /* One place for each named line on screen: the middle of its longest part. */
    _lines(tiles, layer) {
      const found = new Map();
      for (const tile of tiles) {
        const held = tile.layers.get(layer.name);
        for (const feature of held ? held.features : []) {
          const { name } = feature.properties;
          if (!name) continue;
          for (const line of feature.lines) {
            if (!found.has(name) || found.get(name).length < line.length) {
              const middle = 2 * Math.floor(line.length / 4);
              const at = this._place(tile, line[middle], line[middle + 1], held.extent);
              found.set(name, { text: name, length: line.length, at });
            }
          }
        }
      }
      return [...found.values()];
    },
  });
})();
