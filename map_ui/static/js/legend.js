/* The legend: what each sign means; a layer's name is the switch that shows or hides it. */
"use strict";

GIS.panels.legend = (body, panel) => {
  const { node, button, said, text } = GIS;
  // these are there for those who look for them; all at once they would hide one another
  const AT_FIRST_OFF = ["blocks", "people", "organisations", "parts", "devices", "resources", "visits"];
  for (const name of AT_FIRST_OFF) GIS.state.off.add(name);

  const fold = button("plain.fold", () => open(panel.dataset.open !== "true"));
  panel.append(fold);

  function open(wanted) {
    panel.dataset.open = String(wanted);
    fold.setAttribute("aria-expanded", String(wanted));
    fold.textContent = text(wanted ? "legend.fold" : "legend.unfold");
  }

  function turn(layer) {
    const { off } = GIS.state;
    if (off.has(layer.name)) off.delete(layer.name);
    else off.add(layer.name);
    GIS.tell("toggle", layer.name);
    show();
  }

  function marks(layer) {
    return Object.entries(layer.style.marks).flatMap(([, mark]) => {
      if (!GIS.paint.isRamp(mark)) return [item(layer, mark, said(mark.title))];
      return [0, 1, 2, 3, 4].map((step) =>
        item(layer, mark, text("legend.ramp", { from: 20 * step, to: 20 * step + 20 }), step),
      );
    });
  }

  function item(layer, mark, words, step = "") {
    return node("li", GIS.symbols.sample(layer, mark, step), words);
  }

  function entry(layer) {
    const on = !GIS.state.off.has(layer.name);
    const first = Object.values(layer.style.marks)[0];
    const ramp = GIS.paint.isRamp(first) ? 0 : "";
    const toggle = button(
      "toggle",
      () => turn(layer),
      GIS.symbols.sample(layer, first, ramp),
      node("span", said(layer.title)),
    );
    toggle.setAttribute("role", "switch");
    toggle.setAttribute("aria-checked", String(on));
    toggle.dataset.layer = layer.name;
    const inside = node("li.layer", toggle);
    const several = Object.keys(layer.style.marks).length > 1 || ramp !== "";
    if (several && on) inside.append(node("ul.marks", ...marks(layer)));
    return inside;
  }

  function show() {
    const held = document.activeElement && document.activeElement.dataset.layer;
    const layers = [...GIS.state.layers].reverse();
    body.replaceChildren(node("ul.layers", ...layers.map(entry)));
    if (held) body.querySelector(`[data-layer="${CSS.escape(held)}"]`)?.focus();
    open(panel.dataset.open === "true");
  }

  for (const subject of ["layers", "language", "theme"]) GIS.on(subject, show);
};
