/* Alerts of the unit on screen: what was found, who is told, and the next step for those who may. */
"use strict";

GIS.panels.alerts = (body, panel) => {
  const { node, button, text, word } = GIS;
  const SHOWN = 30;
  let answer = null;
  let failed = false;
  let writing = null; // the alert whose measure is being written

  /* Ask anew; a unit that was left meanwhile is not shown. */
  async function take() {
    if (!GIS.state.layers.some(({ name }) => name === "alerts")) {
      panel.hidden = true;
      return;
    }
    const unit = GIS.state.unit;
    const found = await GIS.json(`/api/alerts?unit=${encodeURIComponent(unit)}&limit=${SHOWN}`).catch(() => null);
    if (!found || unit !== GIS.state.unit) return;
    answer = found;
    show();
  }

  async function step(alert, what, more = {}) {
    const sent = await fetch(`/api/alerts/${encodeURIComponent(alert.id)}/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": GIS.state.language },
      body: JSON.stringify({ base_version: alert.version, ...more }),
    }).catch(() => null);
    failed = !sent || !sent.ok;
    if (!failed) writing = null;
    await take();
  }

  function show() {
    if (!answer) return;
    const open = answer.alerts.filter(({ state }) => state !== "held");
    const held = answer.counts.held;
    body.replaceChildren(
      ...[
        failed ? node("p.note.bad", text("alerts.failed")) : null,
        open.length ? node("ol", ...open.map(row)) : node("p.empty", text("alerts.empty")),
        held ? node("p.note", text("alerts.held", { n: held })) : null,
      ].filter(Boolean),
    );
  }

  function row(alert) {
    const state = node("span.state", word("alert_state", alert.state));
    state.dataset.state = alert.state;
    const head = button(
      "row",
      () => GIS.tell("fly", alert.finding),
      state,
      node("strong", alert.name || alert.cell),
      alert.finding.phase ? node("span.phase", word("phase", alert.finding.phase)) : null,
      node("span.whom", whom(alert)),
      node("span.says", GIS.said(alert.review || alert.finding)),
      alert.measure ? node("span.measure", text("alerts.measure", { what: alert.measure })) : null,
    );
    const entry = node("li", head, next(alert));
    entry.dataset.id = alert.id;
    return entry;
  }

  /* Who is told, and by when it is to be acknowledged while it is not. */
  function whom(alert) {
    const told = text("alerts.whom", { who: word("role", alert.receiver) });
    if (alert.state !== "raised" || !alert.due_at) return told;
    const isLate = new Date(alert.due_at) < new Date(answer.now);
    return `${told} · ${text(isLate ? "alerts.late" : "alerts.due", { when: day(alert.due_at) })}`;
  }

  function day(time) {
    const form = { month: "2-digit", day: "2-digit", timeZone: "Asia/Shanghai" };
    return `${new Date(time).toLocaleDateString("zh-CN", form)} ${GIS.clock(time)}`;
  }

  /* The next step, for those who may take it. */
  function next(alert) {
    if (!answer.may_act) return null;
    if (alert.state === "raised") {
      return button("act", () => step(alert, "acknowledge"), text("alerts.acknowledge"));
    }
    if (alert.state !== "acknowledged") return null;
    if (writing !== alert.id) return button("act", () => write(alert), text("alerts.write"));
    return form(alert);
  }

  function write(alert) {
    writing = alert.id;
    show();
    body.querySelector("textarea")?.focus();
  }

  function form(alert) {
    const words = node("textarea");
    words.maxLength = 2000;
    words.rows = 2;
    words.setAttribute("aria-label", text("alerts.write"));
    const send = () => words.value.trim() && step(alert, "measure", { text: words.value.trim() });
    return node("div.form", words, button("act", send, text("alerts.send")));
  }

  GIS.on("wall", () => {
    writing = null;
    failed = false;
    take();
  });
  GIS.on("language", show);
  GIS.on("ver", ({ layer }) => {
    if (layer === "alerts" && !writing) take();
  });
};
