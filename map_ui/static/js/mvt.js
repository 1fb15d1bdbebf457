/* Reads a Mapbox vector tile (spec 2.1) into plain features. */
"use strict";

GIS.readTile = (() => {
  const POLYGON = 3;

  function readValue(pbf) {
    let value = null;
    const end = pbf.readVarint() + pbf.pos;
    while (pbf.pos < end) {
      const tag = pbf.readVarint() >> 3;
      if (tag === 1) value = pbf.readString();
      else if (tag === 2) value = pbf.readFloat();
      else if (tag === 3) value = pbf.readDouble();
      else if (tag === 4) value = pbf.readVarint(true);
      else if (tag === 5) value = pbf.readVarint();
      else if (tag === 6) value = pbf.readSVarint();
      else if (tag === 7) value = pbf.readBoolean();
    }
    return value;
  }

  /* Rings or lines as flat arrays x0, y0, x1, y1 …; points as one array. */
  function readGeometry(pbf, type) {
    const end = pbf.readVarint() + pbf.pos;
    const lines = [];
    let line = [];
    let [command, left, x, y] = [1, 0, 0, 0];
    while (pbf.pos < end) {
      if (left === 0) {
        const next = pbf.readVarint();
        command = next & 7;
        left = next >> 3;
        if (command === 7) {
          left = 0;
          continue;
        }
      }
      left -= 1;
      x += pbf.readSVarint();
      y += pbf.readSVarint();
      if (command === 1 && type !== 1 && line.length) {
        lines.push(line);
        line = [];
      }
      line.push(x, y);
    }
    if (line.length) lines.push(line);
    return lines;
  }

  function readFeature(pbf, keys, values) {
    const feature = { id: null, type: 0, properties: {}, lines: [] };
    const end = pbf.readVarint() + pbf.pos;
    let place = -1;
    while (pbf.pos < end) {
      const head = pbf.readVarint();
      const tag = head >> 3;
      if (tag === 1) feature.id = pbf.readVarint();
      else if (tag === 2) {
        const stop = pbf.readVarint() + pbf.pos;
        while (pbf.pos < stop) {
          const key = keys[pbf.readVarint()];
          feature.properties[key] = values[pbf.readVarint()];
        }
      } else if (tag === 3) feature.type = pbf.readVarint();
      else if (tag === 4) {
        place = pbf.pos;
        pbf.skip(head);
      } else pbf.skip(head);
    }
    if (place >= 0) {
      pbf.pos = place;
      feature.lines = readGeometry(pbf, feature.type);
      pbf.pos = end;
    }
    return feature;
  }

  function readLayer(pbf, end) {
    const layer = { name: "", extent: 4096, features: [] };
    const places = [];
    const keys = [];
    const values = [];
    while (pbf.pos < end) {
      const head = pbf.readVarint();
      const tag = head >> 3;
      if (tag === 1) layer.name = pbf.readString();
      else if (tag === 3) keys.push(pbf.readString());
      else if (tag === 4) values.push(readValue(pbf));
      else if (tag === 5) layer.extent = pbf.readVarint();
      else {
        if (tag === 2) places.push(pbf.pos);
        pbf.skip(head);
      }
    }
    // keys and values may stand after the features that use them
    for (const place of places) {
      pbf.pos = place;
      layer.features.push(readFeature(pbf, keys, values));
    }
    pbf.pos = end;
    return layer;
  }

  /* Area in square tile units, positive for an outer ring; and its centre of mass. */
  function ringMass(ring) {
    let [area, cx, cy] = [0, 0, 0];
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const cross = ring[j] * ring[i + 1] - ring[i] * ring[j + 1];
      area += cross;
      cx += (ring[j] + ring[i]) * cross;
      cy += (ring[j + 1] + ring[i + 1]) * cross;
    }
    return area ? { area: area / 2, x: cx / (3 * area), y: cy / (3 * area) } : null;
  }

  /* The layers of a tile by name. */
  function readTile(bytes) {
    const pbf = new Pbf(new Uint8Array(bytes));
    const layers = new Map();
    while (pbf.pos < pbf.length) {
      const head = pbf.readVarint();
      if (head >> 3 !== 3) {
        pbf.skip(head);
        continue;
      }
      const end = pbf.readVarint() + pbf.pos;
      const layer = readLayer(pbf, end);
      layers.set(layer.name, layer);
    }
    return layers;
  }

  return Object.assign(readTile, { ringMass, POLYGON });
})();
