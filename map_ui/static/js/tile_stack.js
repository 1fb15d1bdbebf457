/* One layer of 512 px vector tiles for all layers of the map, each tile drawn on its canvas. */
"use strict";

GIS.TileStack = L.GridLayer.extend({
  /* Tiles of 512 px at map zoom z are the service's tiles of zoom z − 1. */
  zoomOffset: -1,

  initialize(options) {
    L.GridLayer.prototype.initialize.call(this, options);
    GIS.on("theme", () => this.repaint());
    GIS.on("toggle", () => this._askForMissing());
  },

  onAdd(map) {
    L.GridLayer.prototype.onAdd.call(this, map);
    map.on("zoomend", this.repaint, this);
  },

  onRemove(map) {
    map.off("zoomend", this.repaint, this);
    L.GridLayer.prototype.onRemove.call(this, map);
  },

  /* More tiles than this on screen are too many requests: then those of the next zoom out serve. */
  mostTiles: 12,

  /* Between two zooms the tiles of the lower one are drawn larger: a quarter of the requests. */
  _setView(center, zoom, ...rest) {
    if (zoom !== this._exact) {
      const lower = Math.floor(zoom);
      this._serving = this._tilesAcross(center, zoom, lower) > this.mostTiles ? lower - 1 : lower;
    }
    this._exact = zoom;
    L.GridLayer.prototype._setView.call(this, center, zoom, ...rest);
  },

  _clampZoom(zoom) {
    return L.GridLayer.prototype._clampZoom.call(this, Math.min(zoom, this._serving));
  },

  /* How many tiles of a zoom the screen touches. */
  _tilesAcross(center, zoom, tileZoom) {
    const half = this._map.getSize().divideBy(2 * this._map.getZoomScale(zoom, tileZoom));
    const middle = this._map.project(center, tileZoom);
    const edge = this.getTileSize();
    const first = middle.subtract(half).unscaleBy(edge).floor();
    const last = middle.add(half).unscaleBy(edge).floor();
    return (last.x - first.x + 1) * (last.y - first.y + 1);
  },

  /* The service's zoom of a tile, or of the tiles on screen. */
  tileZoom(coords = { z: this._tileZoom }) {
    return coords.z + this.zoomOffset;
  },

  /* The layers on show in tiles of a zoom, in drawing order. */
  shown(tileZoom) {
    const layers = GIS.tiled().filter(
      (layer) => !GIS.state.off.has(layer.name) && tileZoom >= layer.style.from_zoom,
    );
    // from far away the choropleth's areas are the grids: their outlines are not sent twice
    const twice = tileZoom < GIS.paint.GRIDS_FROM && layers.some(({ name }) => name === "coverage");
    return twice ? layers.filter(({ name }) => name !== "grids") : layers;
  },

  createTile(coords, done) {
    const canvas = document.createElement("canvas");
    canvas.className = "tile";
    const tile = {
      coords,
      canvas,
      asked: [],
      layers: null,
      groups: new Map(),
      stopped: new AbortController(),
    };
    canvas.gisTile = tile;
    this._fetch(tile).then(
      () => done(null, canvas),
      (fault) => done(fault, canvas),
    );
    return canvas;
  },

  async _fetch(tile) {
    this._hurry(1);
    try {
      await this._take(tile);
    } finally {
      this._hurry(-1);
    }
    this._draw(tile);
    this.fire("drawn");
  },

  /* Say on the map itself whether tiles are on their way. */
  _hurry(more) {
    this._underWay = (this._underWay || 0) + more;
    if (this._map) this._map.getContainer().setAttribute("aria-busy", String(this._underWay > 0));
  },

  async _take(tile) {
    const { x, y } = tile.coords;
    const zoom = this.tileZoom(tile.coords);
    tile.asked = this.shown(zoom).map((layer) => layer.name);
    const address = `/tiles/${tile.asked.join(",")}/${zoom}/${x}/${y}`;
    const answer = await fetch(address, { signal: tile.stopped.signal });
    if (answer.status === 204 || answer.status === 404) tile.layers = new Map();
    else if (!answer.ok) throw new Error(`tile ${answer.status}`);
    else tile.layers = GIS.readTile(await answer.arrayBuffer());
    tile.groups.clear();
  },

  _removeTile(key) {
    const tile = this._tiles[key];
    if (tile) tile.el.gisTile.stopped.abort();
    L.GridLayer.prototype._removeTile.call(this, key);
  },

  /* Draw a tile as sharp as the screen at the map's zoom, which lies between two tile zooms. */
  _draw(tile) {
    if (!tile.layers || !this._map) return;
    const zoom = this._map.getZoom();
    const stretch = this._map.getZoomScale(zoom, tile.coords.z);
    const edge = this.getTileSize().x;
    const size = Math.ceil(edge * stretch * Math.min(window.devicePixelRatio, 2));
    const { canvas } = tile;
    // one pixel over the edge, and opaque: between two zooms no hairline shows where tiles meet
    canvas.width = canvas.height = Math.round((size * (edge + 1)) / edge);
    canvas.style.width = canvas.style.height = `${edge + 1}px`;
    const context = canvas.getContext("2d", { alpha: false });
    context.fillStyle = GIS.colour("ground");
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (const layer of this.shown(this.tileZoom(tile.coords))) {
      const held = tile.layers.get(layer.name);
      if (!held) continue;
      if (!tile.groups.has(layer.name)) tile.groups.set(layer.name, GIS.paint.groups(layer, held));
      const scale = size / held.extent;
      context.setTransform(scale, 0, 0, scale, 0, 0);
      const pixel = held.extent / (edge * stretch);
      for (const group of tile.groups.get(layer.name)) {
        GIS.paint.drawGroup(context, layer, group, pixel, zoom);
      }
    }
  },

  /* The tiles on screen of the zoom on screen: {coords, layers}. */
  onScreen() {
    return Object.values(this._tiles)
      .filter((tile) => tile.current && tile.coords.z === this._tileZoom)
      .map((tile) => tile.el.gisTile)
      .filter((tile) => tile.layers);
  },

  repaint() {
    for (const tile of Object.values(this._tiles || {})) this._draw(tile.el.gisTile);
    this.fire("drawn");
  },

  /* Fetch again what is on screen; unchanged tiles come back as 304. */
  refetch() {
    for (const tile of Object.values(this._tiles)) this._fetch(tile.el.gisTile).catch(() => {});
  },

  _askForMissing() {
    for (const { el } of Object.values(this._tiles || {})) {
      const tile = el.gisTile;
      const wanted = this.shown(this.tileZoom(tile.coords));
      if (wanted.some((layer) => !tile.asked.includes(layer.name))) this._fetch(tile).catch(() => {});
    }
    this.repaint();
  },
});

/* Layers that are drawn from tiles; workers come by the event stream. */
GIS.tiled = () => GIS.state.layers.filter((layer) => layer.name !== "workers");
