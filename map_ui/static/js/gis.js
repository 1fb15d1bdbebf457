/* The page's kernel: what is known, who wants to hear of it, texts, numbers and DOM nodes. */
"use strict";

const GIS = (() => {
  const root = document.documentElement;
  const listeners = new Map();
  const words = new Map();

  const state = {
    language: localStorage.getItem("gis.language") || "zh",
    unit: root.dataset.unit,
    wall: null,
    layers: [],
    off: new Set(),
  };

  /* Hear of `subject` from now on. */
  function on(subject, listener) {
    if (!listeners.has(subject)) listeners.set(subject, []);
    listeners.get(subject).push(listener);
  }

  function tell(subject, value) {
    for (const listener of listeners.get(subject) || []) listener(value);
  }

  /* The text of a key in the language on screen, with {name} filled in. */
  function text(key, values = {}) {
    const found = (words.get(state.language) || {})[key];
    if (found === undefined) return key;
    return found.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  }

  /* A text for a word that comes with the data; the word itself when nobody translated it. */
  function word(family, value) {
    const key = `${family}.${value}`;
    return key in (words.get(state.language) || {}) ? text(key) : String(value ?? "");
  }

  /* Say a title of the service ({zh, en}) in the language on screen. */
  function said(title) {
    if (!title) return "";
    return title[state.language] || title.zh || "";
  }

  async function speak(language) {
    if (!words.has(language)) {
      const address = language === "en" ? root.dataset.textsEn : root.dataset.textsZh;
      words.set(language, await json(address));
    }
    state.language = language;
    localStorage.setItem("gis.language", language);
    root.lang = language === "zh" ? "zh-CN" : "en";
    relabel(document);
    tell("language", language);
  }

  /* Put texts on everything below `top` that carries a key; texts are text nodes, never HTML. */
  function relabel(top) {
    for (const element of top.querySelectorAll("[data-t]")) {
      element.textContent = text(element.dataset.t);
    }
    for (const element of top.querySelectorAll("[data-t-label]")) {
      element.setAttribute("aria-label", text(element.dataset.tLabel));
      if (element.tagName === "BUTTON") element.title = text(element.dataset.tLabel);
    }
  }

  async function json(address) {
    const answer = await fetch(address, { headers: { "Accept-Language": state.language } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.json();
  }

  /* node("p.note", "text", child, …): strings become text nodes; null is left out. */
  function node(shape, ...children) {
    const [tag, ...classes] = shape.split(".");
    const element = document.createElement(tag);
    if (classes.length) element.className = classes.join(" ");
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  function button(shape, act, ...children) {
    const element = node(`button.${shape}`, ...children);
    element.type = "button";
    element.addEventListener("click", act);
    return element;
  }

  function number(value, digits = 0) {
    if (value === null || value === undefined || Number.isNaN(Number(value))) return "—";
    const language = state.language === "zh" ? "zh-CN" : "en";
    return Number(value).toLocaleString(language, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  }

  /* A share as "93.7 %"; "—" where there is nothing to divide by. */
  function share(numerator, denominator) {
    if (numerator === null || numerator === undefined || !denominator) return "—";
    return `${number((100 * numerator) / denominator, 1)}%`;
  }

  function clock(time, seconds = false) {
    const form = { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" };
    if (seconds) form.second = "2-digit";
    return new Date(time).toLocaleTimeString("zh-CN", form);
  }

  function colour(name) {
    return getComputedStyle(root).getPropertyValue(`--c-${name}`).trim() || "#888888";
  }

  /* How much larger than on an office screen the signs are drawn. */
  function factor() {
    return parseFloat(getComputedStyle(root).fontSize) / 16;
  }

  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  const panels = {};
  const controls = {};

  return {
    state, on, tell, text, word, said, speak, relabel, json, node, button, number, share, clock,
    colour, factor, calm, panels, controls,
    panel: (kind, id) => panels[kind](document.querySelector(`#${id} .body`), document.getElementById(id)),
    control: (kind, id) => controls[kind](document.getElementById(id)),
  };
})();
