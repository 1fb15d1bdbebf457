/* The head of the page: title and way up, state of the line, clock, zoom, language, theme. */
"use strict";

(() => {
  const { controls, node, button, text } = GIS;

  controls.title = (place) => {
    const heading = node("h1");
    const path = node("nav.path");
    path.dataset.tLabel = "path.label";
    place.append(heading, path);

    function show() {
      const { wall } = GIS.state;
      if (!wall) return;
      heading.textContent = text("wall.heading", { unit: wall.unit.name });
      document.title = heading.textContent;
      path.replaceChildren();
      for (const unit of wall.unit.path) {
        if (unit.code === wall.unit.code) continue;
        path.append(button("link", () => GIS.tell("drill", unit.code), unit.name), " › ");
      }
      const here = node("span", wall.unit.name);
      here.setAttribute("aria-current", "page");
      path.append(here);
    }
    GIS.on("wall", show);
    GIS.on("language", show);
  };

  controls.badge = (place) => {
    place.setAttribute("role", "status");
    const sign = node("span.sign");
    const words = node("span");
    place.append(sign, words);
    GIS.on("line", ({ state, seconds }) => {
      place.dataset.state = state;
      const said = text(`badge.${state}`, { seconds });
      if (words.textContent !== said) words.textContent = said;
    });
  };

  controls.clock = (place) => {
    const time = node("time.time");
    const day = node("span.day");
    place.append(time, day);

    function show() {
      const now = new Date();
      time.textContent = GIS.clock(now, true);
      const language = GIS.state.language === "zh" ? "zh-CN" : "en-GB";
      day.textContent = now.toLocaleDateString(language, {
        year: "numeric",
        month: GIS.state.language === "zh" ? "long" : "short",
        day: "numeric",
        weekday: "short",
        timeZone: "Asia/Shanghai",
      });
    }
    show();
    setInterval(show, 1000);
    GIS.on("language", show);
  };

  controls.zoom = (place) => {
    const acts = {
      in: ["+", () => GIS.map.zoomIn(0.5)],
      out: ["−", () => GIS.map.zoomOut(0.5)],
      whole: ["⌂", () => GIS.tell("whole")],
    };
    for (const [name, [sign, act]] of Object.entries(acts)) {
      const one = button("square", act, sign);
      one.dataset.tLabel = `zoom.${name}`;
      place.append(one);
    }
  };

  controls.language = (place) => {
    const other = button("plain", () => GIS.speak(GIS.state.language === "zh" ? "en" : "zh"));
    other.dataset.t = "language.other";
    place.append(other);
  };

  controls.theme = (place) => {
    const root = document.documentElement;
    const kept = localStorage.getItem("gis.theme");
    if (kept) root.dataset.theme = kept;
    const other = button("plain", () => {
      root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
      localStorage.setItem("gis.theme", root.dataset.theme);
      GIS.tell("theme", root.dataset.theme);
    });
    other.dataset.t = "theme.other";
    place.append(other);
  };
})();
