/* The page's one event stream, and the clock that says how old what we see is. */
"use strict";

GIS.LiveFeed = class {
  constructor({ staleAfterS, lostAfterS }) {
    this.staleAfterS = staleAfterS;
    this.lostAfterS = lostAfterS;
    this.heard = null;
    this.brokeAt = null;
    this.source = null;
    setInterval(() => this.judge(), 1000);
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.open(GIS.state.unit));
  }

  /* Listen to the events of a unit, and to those of no other any more. */
  open(unit) {
    this.close();
    this.unit = unit;
    const source = new EventSource(`/api/events?unit=${encodeURIComponent(unit)}`);
    this.source = source;
    for (const kind of ["snap", "pos", "inc", "kpi", "ver", "beat"]) {
      source.addEventListener(kind, (event) => this._heard(kind, event));
    }
    source.onopen = () => {
      this.heard = performance.now();
      this.brokeAt = null;
      this.judge();
    };
    source.onerror = () => this._broke(source);
    if (this.brokeAt === null) this.brokeAt = performance.now();
  }

  close() {
    if (this.source) this.source.close();
    clearTimeout(this.again);
    this.source = null;
  }

  _heard(kind, event) {
    this.heard = performance.now();
    this.brokeAt = null;
    if (kind !== "beat") GIS.tell(kind, JSON.parse(event.data));
    this.judge();
  }

  /* The browser tries again by itself, except after an answer that is no stream. */
  _broke(source) {
    if (this.brokeAt === null) this.brokeAt = performance.now();
    if (source.readyState === EventSource.CLOSED && source === this.source) {
      clearTimeout(this.again);
      this.again = setTimeout(() => this.open(this.unit), 5000);
    }
    this.judge();
  }

  /* Tell whether the picture is live, stale or cut off, and for how many seconds. */
  judge() {
    const now = performance.now();
    const silent = this.heard === null ? 0 : Math.floor((now - this.heard) / 1000);
    const broken = this.brokeAt === null ? 0 : (now - this.brokeAt) / 1000;
    let state = "live";
    if (this.brokeAt !== null && broken >= this.lostAfterS) state = "lost";
    else if (this.heard === null || this.brokeAt !== null) state = "joining";
    else if (silent >= this.staleAfterS) state = "stale";
    document.documentElement.dataset.line = state;
    GIS.tell("line", { state, seconds: Math.max(silent, Math.floor(broken)) });
  }
};
