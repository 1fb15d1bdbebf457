/* The boxes over the map: figures, ranking, incidents, coverage, hotspots, the place clicked. */
"use strict";

(() => {
  const { panels, node, button, text, word, number, share } = GIS;

  /* Fill a panel whenever the wall's figures or the language change. */
  function filled(body, make) {
    const show = () => GIS.state.wall && body.replaceChildren(...make(GIS.state.wall).filter(Boolean));
    GIS.on("wall", show);
    GIS.on("language", show);
    return show;
  }

  function fraction(numerator, denominator) {
    if (denominator === null || denominator === undefined) return null;
    return node("span.fraction", `${number(numerator)} / ${number(denominator)}`);
  }

  /* A share as a length; the figures beside it say it to who cannot see it. */
  function bar(shape, part, whole) {
    const track = node(shape);
    track.style.setProperty("--part", whole ? Math.min((part || 0) / whole, 1) : 0);
    track.setAttribute("aria-hidden", "true");
    return track;
  }

  /* What a count is seen against, in words: they are not its parts. */
  function outOf({ key, denominator }) {
    if (denominator === null || denominator === undefined) return null;
    return node("span.fraction", text(`kpi.${key}.of`, { n: number(denominator) }));
  }

  panels.kpi = (body) => {
    // people are told as a number, not as a share of something
    const COUNTED = new Set(["people_unseen"]);
    const show = filled(body, (wall) => wall.kpis.map(tile));

    function tile(kpi) {
      const isShare = kpi.unit === "share" && !COUNTED.has(kpi.key);
      const value = isShare ? share(kpi.numerator, kpi.denominator) : number(kpi.numerator);
      const box = node(
        "div.tile",
        node("span.name", word("kpi", kpi.key)),
        node("span.value", value),
        isShare ? fraction(kpi.numerator, kpi.denominator) : outOf(kpi),
      );
      box.dataset.key = kpi.key;
      return box;
    }

    GIS.on("kpi", (kpis) => {
      if (!GIS.state.wall) return;
      GIS.state.wall.kpis = kpis.kpis || kpis;
      show();
    });
  };

  panels.ranking = (body, panel) => {
    filled(body, (wall) => {
      panel.hidden = !wall.ranking.length;
      return [node("p.note", text("ranking.note")), node("ol", ...wall.ranking.map(row))];
    });

    function row(unit) {
      const { numerator: done, denominator: due } = unit;
      return node(
        "li",
        button(
          "row",
          () => GIS.tell("drill", unit.code),
          node("span.name", unit.name),
          bar("span.bar", done, due),
          node("span.value", share(done, due)),
          fraction(done, due),
        ),
      );
    }
  };

  panels.staff = (body) => {
    const SHOWN = 8;
    filled(body, ({ workers, vacant_grids: vacant }) => {
      if (!workers) return [];
      const names = (vacant || []).slice(0, SHOWN).map((grid) => node("li", grid.name || grid.code));
      const rest = (vacant || []).length - names.length;
      if (rest > 0) names.push(node("li", text("staff.more", { n: rest })));
      return [
        line("staff.on_duty", `${number(workers.on_duty)} / ${number(workers.total)}`, false),
        line("staff.vacant", number((vacant || []).length), (vacant || []).length > 0),
        node("ul.vacant", ...names),
      ];
    });

    function line(key, value, isBad) {
      return node("div.figure", node("span", text(key)), node(isBad ? "span.value.bad" : "span.value", value));
    }
  };

  panels.ticker = (list) => {
    const LONGEST = 20;
    let shown = [];

    function item(incident) {
      const urgency = node("span.urgency", word("urgency", incident.urgency));
      urgency.dataset.urgency = incident.urgency;
      const line = button(
        "row",
        () => GIS.tell("fly", incident),
        urgency,
        node("span.title", incident.title || word("category", incident.category)),
        node("time", GIS.clock(incident.occurred_at)),
        node(
          "span.where",
          [incident.grid_name, word("kind", incident.kind), word("state", incident.state)]
            .filter(Boolean)
            .join(" · "),
        ),
      );
      const entry = node("li", line);
      entry.dataset.id = incident.id;
      return entry;
    }

    function show() {
      list.replaceChildren(...shown.map(item));
      if (!shown.length) list.append(node("li.empty", text("ticker.empty")));
    }

    GIS.on("wall", (wall) => {
      shown = wall.incidents.slice(0, LONGEST);
      show();
    });
    GIS.on("language", show);
    GIS.on("inc", (incident) => {
      shown = [incident, ...shown.filter((one) => one.id !== incident.id)].slice(0, LONGEST);
      for (const old of list.querySelectorAll("li")) {
        if (old.dataset.id === incident.id || old.classList.contains("empty")) old.remove();
      }
      const fresh = item(incident);
      fresh.classList.add("fresh");
      list.prepend(fresh);
      while (list.children.length > LONGEST) list.lastChild.remove();
    });
  };

  panels.coverage = (body) => {
    filled(body, ({ coverage }) => {
      if (!coverage) return [node("p.empty", text("coverage.empty"))];
      const assumed = (coverage.assumed || []).filter((one) => one !== "terrain");
      return [
        figure("people", coverage.people_unseen, coverage.people, { between: unseenPeople(coverage) }),
        figure("households", coverage.households_unseen, coverage.households),
        figure("key_places", coverage.key_places_unseen, coverage.key_places),
        isBound(coverage)
          ? figure("at_task", coverage.places_at_task, coverage.key_places, {
            good: true,
            between: between("between", coverage.places_certain, coverage.places_possible, coverage.key_places),
          })
          : null,
        figure("cameras", coverage.cameras_working, coverage.cameras_built, { good: true }),
        figure("open", coverage.seen_m2, coverage.open_m2, {
          good: true,
          say: area,
          between: between("between", coverage.certain_m2, coverage.possible_m2, coverage.open_m2),
        }),
        coverage.cameras_unsure
          ? node("p.note", text("coverage.unsure", { n: number(coverage.cameras_unsure) }))
          : null,
        coverage.bounds_stale ? node("p.note", text("coverage.bounds_stale")) : null,
        assumed.length
          ? node("p.note", text("coverage.assumed", { what: assumed.map((one) => assumption(one, coverage.assumed_values)).join(text("list.comma")) }))
          : null,
        coverage.terrain ? null : node("p.note", text("coverage.no_terrain")),
      ];
    });

    // "range 50 m", "angle of view 60–360°"; only the name where what is assumed is no number
    function assumption(name, values = {}) {
      const [least, most] = values[name] || [];
      if (least === undefined) return word("assumed", name);
      const unit = name.endsWith("_deg") ? "°" : " m";
      return `${word("assumed", name)} ${least === most ? least : `${least}–${most}`}${unit}`;
    }

    // bounds are unknown as long as they were never computed
    function isBound({ places_at_task: shown }) {
      return shown !== null && shown !== undefined;
    }

    /* "(certain 52%, at most 81%)"; nothing where the two are one figure. */
    function between(key, least, most, whole) {
      if (least === null || least === undefined || most === null) return null;
      const [from, to] = [share(least, whole), share(most, whole)];
      return from === to ? null : node("span.between", text(`coverage.${key}`, { least: from, most: to }));
    }

    function unseenPeople({ people, people_certain: certain, people_possible: possible }) {
      if (certain === null || certain === undefined) return null;
      return between("between_unseen", people - possible, people - certain, people);
    }

    function area(square_m) {
      return text("unit.km2", { n: number(square_m / 1e6, square_m < 1e7 ? 2 : 0) });
    }

    /* One line: what, how much of how much, and a bar that is bad or good when long. */
    function figure(key, part, whole, { good = false, say = number, between: range = null } = {}) {
      return node(
        "div.figure",
        node("span.name", text(`coverage.${key}`)),
        node("span.value", share(part, whole)),
        node("span.fraction", `${say(part)} / ${say(whole)}`),
        range,
        bar(`span.bar.${good ? "good" : "bad"}`, part, whole),
      );
    }
  };

  panels.hotspots = (body) => {
    filled(body, (wall) => {
      const run = wall.hotspot_run;
      const says = run ? node("p.note", GIS.said(run)) : null;
      if (!wall.hotspots.length) return [says, node("p.empty", text("hotspots.empty"))];
      return [says, node("ol", ...wall.hotspots.map(row))];
    });

    function row(spot) {
      const words = node("span.says", GIS.said(spot));
      const name = node("strong", spot.name || spot.cell);
      return node("li", button("row", () => GIS.tell("fly", spot), name, phase(spot), words));
    }

    /* New, stays, grows or fades; nothing where that is not known. */
    function phase(spot) {
      if (!spot.phase) return null;
      const badge = node("span.phase", word("phase", spot.phase));
      badge.dataset.phase = spot.phase;
      return badge;
    }
  };

  panels.place = (body, panel) => {
    panel.hidden = true;
    const close = button("square.close", hide, "×");
    close.dataset.tLabel = "place.close";
    panel.prepend(close);
    let told = null;

    function hide() {
      panel.hidden = true;
      told = null;
      GIS.tell("place", null);
    }

    function unitRow(key, unit, drills) {
      if (!unit) return null;
      const name = unit.name || unit.code;
      const value = drills ? button("link", () => GIS.tell("drill", unit.code), name) : node("span", name);
      return [node("dt", text(`place.${key}`)), node("dd", value)];
    }

    function plainRow(key, value) {
      if (value === null || value === undefined || value === "") return null;
      return [node("dt", text(`place.${key}`)), node("dd", String(value))];
    }

    function cameras(list) {
      if (!list) return null;
      const names = list.slice(0, 6).map((one) => (typeof one === "string" ? one : one.name || one.id));
      const rest = list.length > names.length ? text("place.more", { n: list.length - names.length }) : "";
      return plainRow("cameras", list.length ? names.join(text("list.comma")) + rest : text("place.unseen"));
    }

    function show() {
      if (!told) return;
      const { at, worker } = told;
      const grid = at.grid || null;
      const block = at.block && (at.block.id || at.block.code || at.block);
      const rows = [
        worker ? plainRow("worker", `${word("post", worker.post)} · ${GIS.clock(worker.at)}`) : null,
        unitRow("town", at.town, true),
        unitRow("village", at.village, true),
        unitRow("grid", grid, false),
        plainRow("code", grid && grid.code),
        plainRow("block", block),
        plainRow("people", grid && numberOrNull(grid.people ?? at.people)),
        plainRow("households", grid && numberOrNull(grid.households ?? at.households)),
        cameras(at.cameras),
      ];
      body.replaceChildren(node("dl", ...rows.filter(Boolean).flat()));
      panel.hidden = false;
    }

    function numberOrNull(value) {
      return value === null || value === undefined ? null : number(value);
    }

    GIS.on("at", (answer) => {
      told = answer;
      show();
    });
    GIS.on("language", show);
  };
})();
