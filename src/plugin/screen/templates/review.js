// Keys, type-ahead, ticks, live counts and fragment swaps. Every page works without it as links and forms.
"use strict";
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const byId = (id) => document.getElementById(id);
const parse = (html) => Object.assign(document.createElement("template"), { innerHTML: html }).content;
const ROW = "[data-version]";
const FIELD = "input:not([type=checkbox], [type=radio]), select, textarea";
const LOST = "no answer: is kubectl insightful review still running?";
const rows = () => $$(ROW);
const ticks = (root, which = "enabled") => $$(`.tick input[name=person]:${which}`, root);
const rowOf = (element) => element?.closest(ROW) ?? null;
const current = () => rowOf(document.activeElement) ?? $(ROW + ".is-current");
const announce = (text, isError) => Object.assign($("#announce"), { textContent: text, className: isError ? "is-error" : "" });

// Rows: at most one is current, that is, open.
function open(row, isOpen) {
  row.classList.toggle("is-current", isOpen);
  $("[data-open]", row)?.setAttribute("aria-expanded", isOpen);
}
/** Opens a row and closes the others; without `focus` it stays where it is on the screen. */
function setCurrent(row, focus = false) {
  const top = row.getBoundingClientRect().top;
  $$(ROW + ".is-current").forEach((other) => other !== row && open(other, false));
  open(row, true);
  if (!focus) return scrollBy({ top: row.getBoundingClientRect().top - top, behavior: "instant" });
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
document.addEventListener("click", (event) => {
  const { target } = event;
  const row = rowOf(target);
  const [dialog, closer, opener] = ["[data-dialog]", "dialog [data-close]", "[data-open]"].map((one) => target.closest(one));
  if (closer || opener) event.preventDefault();
  if (dialog) byId(dialog.dataset.dialog).showModal();
  if (closer) closer.closest("dialog").close();
  if (target.matches(".tick input")) return tick(target, event.shiftKey);
  if (opener) return row.matches(".is-current") ? open(row, false) : setCurrent(row);
  if (!row || target.closest("a, button, input, label, select") || !getSelection().isCollapsed) return;
  row.matches(".is-current") ? target.closest(".cand")?.querySelector("input").click() : setCurrent(row);
});

// Swap: each top-level element of a response replaces the element with its id.
/** A selector that finds the same control again in the element that replaced its own. */
function addressOf(element) {
  const own = ["name", "value", "href"].filter((name) => element.hasAttribute(name));
  return element.id ? `#${CSS.escape(element.id)}` : element.localName + own.map((name) => `[${name}="${CSS.escape(element.getAttribute(name))}"]`).join("");
}
function replace(fresh) {
  const old = byId(fresh.id);
  if (!old) return;
  if (fresh.id === "announce") return announce(fresh.textContent.trim(), fresh.matches(".is-error"));
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  if ("gone" in fresh.dataset) return old.remove();
  old.replaceWith(fresh);
  if (fresh.matches(ROW)) open(fresh, old.matches(".is-current"));
  if (fresh.matches("[data-waits]") === old.matches("[data-waits]")) ticks(fresh).forEach((box) => (box.checked = ticks(old, "checked").length));
  if (fresh.matches("dialog") && fresh.childElementCount) fresh.showModal();
  if (focus) ($(focus === old ? null : addressOf(focus), fresh) ?? fresh).focus({ preventScroll: true });
}
/** Fetches top-level elements; rows of a table come in a table without an id. Throws the text of an error. */
async function get(url, fragment, options) {
  const lost = (cause) => Promise.reject(new Error(LOST, { cause }));
  const response = await fetch(url, { headers: { "X-Fragment": fragment }, ...options }).catch(lost);
  if (response.redirected) location.assign(response.url);
  const content = parse(await response.text());
  if (!response.ok) throw new Error(content.textContent.trim() || response.statusText);
  const isTable = (one) => one.matches("table:not([id])");
  return response.redirected ? [] : [...content.children].flatMap((one) => (isTable(one) ? [...one.rows] : one));
}
const decided = []; // Ids of rows, for undo.
let [sent, queue] = [0, Promise.resolve()]; // A live update that began before the last post is stale.
/** Posts a form, and moves on if its row waited and does so no longer. */
async function post(url, body, id) {
  const all = rows().map((row) => row.id);
  const following = id ? all.slice(all.indexOf(id) + 1).concat(all.slice(0, all.indexOf(id))) : [];
  const waits = (one) => byId(one)?.matches("[data-waits]");
  const waited = id && waits(id);
  const isHere = id && (current()?.id ?? id) === id;
  try {
    (await get(url, "1", { method: "POST", body })).forEach(replace);
    if (waited && !waits(id)) decided.push(id);
    const next = (waited && !waits(id) && following.find(waits)) || (byId(id) ? id : following.find(byId));
    const target = byId(next) ?? $("#main");
    if (isHere && !target.contains(document.activeElement)) next ? setCurrent(target, true) : target.focus();
  } catch (error) {
    announce((id ? $("h3, th bdi", byId(id)).textContent.trim() + ": " : "") + error.message, true);
  }
  sent += 1;
  byId(id)?.removeAttribute("aria-busy");
  countTicks();
}
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!form.matches("[data-swap]")) return;
  event.preventDefault();
  const row = rowOf(form) ?? byId("r-" + form.elements.person?.value);
  const url = submitter?.getAttribute("formaction") ?? form.action;
  const body = new URLSearchParams(new FormData(form, submitter));
  form.closest("dialog")?.close();
  if (row?.ariaBusy === "true") return;
  if (row) row.ariaBusy = "true";
  sent += 1;
  queue = queue.then(() => post(url, body, row?.id));
});

// Ticks
let lastTick = null;
function tick(box, isRange) {
  const all = box.matches("[data-tick]") ? ticks(box.closest("[data-total]")) : ticks();
  const [from, to] = [all.indexOf(lastTick), all.indexOf(box)].sort((a, b) => a - b);
  const range = box.matches("[data-tick]") ? all : isRange && from >= 0 ? all.slice(from, to + 1) : [];
  range.forEach((one) => (one.checked = box.checked));
  $$("[data-tick]").forEach((one) => (one.checked &&= ticks(one.closest("[data-total]")).every((row) => row.checked)));
  lastTick = box;
  countTicks();
}
function countTicks() {
  for (const button of $$("[data-ticked]")) {
    const [group, whole] = [button.closest("[data-total]"), $("[data-tick]", button.parentElement)];
    const n = whole.checked ? group.dataset.total : ticks(group, "checked").length;
    whole.indeterminate = !whole.checked && n > 0;
    Object.assign(button, { disabled: !n, textContent: n ? button.dataset.ticked.replace("{}", n) : "Match all ticked…" });
  }
}

// Keys: the page has the map, as aria-keyshortcuts; only j, k and the reach of u are here.
$("#keys-on").checked = localStorage.getItem("keys") !== "off";
$("#keys-on").addEventListener("change", ({ target }) => localStorage.setItem("keys", target.checked ? "on" : "off"));
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.matches("[data-search]") && searchKey(event, target)) return;
  const row = current();
  if (target.matches(FIELD)) return key === "Escape" && rowOf(target) ? setCurrent(rowOf(target), true) : undefined;
  if (!$("#keys-on").checked || $("dialog[open]") || (key === "Enter" && target.closest("a, button, summary"))) return;
  const to = rows()[row ? rows().indexOf(row) + (key === "j" ? 1 : -1) : 0];
  if (key === "j" || key === "k") return to && setCurrent(to, true);
  const shortcut = `[aria-keyshortcuts="${CSS.escape(key)}"]`;
  const own = row && $(shortcut, row);
  const last = key === "u" && !own ? byId(decided.pop()) : null;
  const element = own ?? (last ? $(shortcut, last) : $$(shortcut).find((one) => !rowOf(one)));
  if (!element) return;
  event.preventDefault();
  if (last ?? own) setCurrent(last ?? row, Boolean(last));
  element.matches(FIELD) ? element.focus() : element.click();
});

// Type-ahead: a combobox whose hits are submit buttons.
let request;
const listOf = (input) => byId(input.getAttribute("aria-controls"));
function show(input, found = []) {
  const list = listOf(input);
  delete list.dataset.stale;
  list.replaceChildren(...found);
  $$("li", list).forEach((item) => (item.role = "presentation"));
  const option = { tabIndex: -1, role: "option", ariaSelected: "false" };
  $$("button", list).forEach((hit, i) => Object.assign(hit, option, { id: `${list.id}-${i}` }));
  list.hidden = !list.childElementCount;
  list.scrollIntoView({ block: "nearest" });
  input.ariaExpanded = String(!list.hidden);
  input.removeAttribute("aria-activedescendant");
}
document.addEventListener("input", async ({ target: input }) => {
  if (rowOf(input) && !input.closest(".tick")) rowOf(input).dataset.dirty = "";
  if (!input.matches("[data-search]")) return;
  request?.abort();
  listOf(input).dataset.stale = "";
  const { signal } = (request = new AbortController());
  await new Promise((done) => setTimeout(done, 80));
  if (signal.aborted || !input.value.trim()) return signal.aborted || show(input);
  try {
    const found = await get(`${input.dataset.search}&q=${encodeURIComponent(input.value)}`, "1", { signal });
    announce(found.length ? `${found.length} found` : `nobody found for “${input.value}”`);
    if (document.activeElement === input) show(input, found);
  } catch (error) {
    if (!signal.aborted) announce(error.message, true);
  }
});
function searchKey(event, input) {
  const hits = $$("button", listOf(input));
  const at = hits.findIndex((hit) => hit.ariaSelected === "true");
  if (event.key === "Enter" && (!hits.length || "stale" in listOf(input).dataset)) return event.preventDefault() ?? true;
  const to = { ArrowDown: at + 1, ArrowUp: Math.max(at, 0) - 1 + hits.length }[event.key];
  if (!hits.length || (to === undefined && !["Enter", "Escape"].includes(event.key))) return false;
  event.preventDefault();
  if (event.key === "Escape") show(input);
  if (event.key === "Enter") hits[Math.max(at, 0)].click();
  if (to === undefined) return true;
  const next = hits[to % hits.length];
  hits.forEach((hit) => (hit.ariaSelected = String(hit === next)));
  input.setAttribute("aria-activedescendant", next.id);
  next.scrollIntoView({ block: "nearest" });
  return true;
}
document.addEventListener("focusout", ({ target }) => target.isConnected && target.matches("[data-search]") && show(target));
document.addEventListener("mousedown", (event) => event.target.closest(".hits[role]") && event.preventDefault());

// Live: rows are replaced in place, never inserted or removed.
let pending = 0;
const schedule = () => (pending ||= setTimeout(refresh, 250));
const isEdited = (row) => row.matches("[data-dirty], [aria-busy=true]") || $$(FIELD, row).includes(document.activeElement);
async function refresh() {
  pending = 0;
  const began = sent;
  const fresh = await get(location.href, "live").catch(() => []);
  if (began !== sent) return schedule();
  const ids = fresh.filter((one) => one.matches(ROW)).map((one) => one.id);
  const moved = ids.filter((id) => !byId(id)).length + (fresh.length && rows().filter(({ id }) => !ids.includes(id)).length);
  const isDue = (one, old) => !one.matches(ROW) || (old && old.dataset.version !== one.dataset.version && !isEdited(old));
  fresh.filter((one) => isDue(one, byId(one.id))).forEach(replace);
  countTicks();
  $("#stale").hidden = !moved;
  $("#stale a").textContent = `${moved} ${moved === 1 ? "row" : "rows"} changed: reload`;
}
if (document.body.dataset.live && location.protocol !== "file:") {
  const source = new EventSource(document.body.dataset.live);
  source.addEventListener("changed", schedule);
  source.addEventListener("error", () => announce(LOST, true));
  source.addEventListener("open", () => $("#announce").textContent.endsWith(LOST) && announce("connected again"));
}
countTicks();

