// What the console can do without: the queue updates itself, keys move through
// it, saved answers go into the text with one press. Every page works without.
"use strict";
(() => {
  const live = document.getElementById("live");
  const typing = (e) => e.target.closest("input, select, textarea, [contenteditable]") || e.ctrlKey || e.metaKey || e.altKey;
  const links = () => [...document.querySelectorAll(".rows .row > a")];

  // The server sends the rows as it would have put them into the page.
  const update = (html) => {
    const at = live.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const before = new Set(links().map((a) => a.getAttribute("href")));
    const fresh = new DOMParser().parseFromString(html, "text/html");
    live.replaceChildren(...fresh.body.childNodes);
    for (const a of links()) {
      if (!before.has(a.getAttribute("href"))) a.parentElement.classList.add("fresh");
      if (at && a.getAttribute("href") === at) a.focus({ preventScroll: true });
    }
    const now = links().map((a) => a.getAttribute("href"));
    if (now.length === before.size && now.every((href) => before.has(href))) return; // only a time was worded anew
    const news = document.getElementById("news");
    news.textContent = "";
    setTimeout(() => { news.textContent = news.dataset.text; }, 50);
  };
  if (live && live.dataset.live && "EventSource" in window) {
    // What is not up to date says so. A browser connects again by itself after
    // a connection broke, but not after it was turned away.
    const stale = document.getElementById("stale");
    const address = new URL(live.dataset.live, location.href);
    let source, last = Date.now();
    const alive = () => { last = Date.now(); stale.hidden = true; };
    const lost = () => {
      if (!stale.hidden) return;
      const time = new Date(last).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
      stale.textContent = stale.dataset.text.replace("{time}", time);
      stale.hidden = false;
    };
    const connect = () => {
      source = new EventSource(address);
      for (const sign of ["hello", "beat"]) source.addEventListener(sign, alive);
      source.addEventListener("rows", (e) => {
        alive();
        address.searchParams.set("seen", e.lastEventId);
        update(e.data);
      });
      source.addEventListener("out", () => { source.close(); location.reload(); });
      source.addEventListener("error", () => {
        lost();
        if (source.readyState === EventSource.CLOSED) setTimeout(connect, 15000);
      });
    };
    connect();
    // A connection that died without a word: a beat comes every 20 seconds.
    setInterval(() => {
      if (Date.now() - last < 60000 || source.readyState === EventSource.CLOSED) return;
      lost();
      source.close();
      connect();
    }, 15000);
  }

  const move = (step) => {
    const all = links();
    if (!all.length) return;
    const now = all.indexOf(document.activeElement);
    const next = all[Math.min(all.length - 1, Math.max(0, now < 0 ? (step > 0 ? 0 : all.length - 1) : now + step))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  // On a case page a and r go to the form; on the queue they open the case there.
  const act = (key) => {
    const form = document.querySelector(`[data-key="${key}"]`);
    if (form) {
      if (form.tagName === "DETAILS") form.open = true;
      const first = form.querySelector("input:not([type=hidden]), textarea, button");
      if (first) first.focus();
      form.scrollIntoView({ block: "center" });
      return true;
    }
    const row = document.activeElement;
    if (!links().includes(row)) return false;
    location.href = row.getAttribute("href").split("#")[0] + "?do=" + key;
    return true;
  };
  document.addEventListener("keydown", (e) => {
    if (typing(e)) return;
    let took = true;
    switch (e.key) {
      case "j": move(1); break;
      case "k": move(-1); break;
      case "a": case "r": took = act(e.key); break;
      case "/": document.querySelector(".search input")?.focus(); break;
      default: took = false;
    }
    if (took) e.preventDefault();
  });
  const wanted = new URLSearchParams(location.search).get("do");
  if (wanted === "a" || wanted === "r") act(wanted);

  for (const b of document.querySelectorAll(".use")) {
    b.hidden = false;
    b.addEventListener("click", () => {
      const text = b.closest("form").querySelector("textarea");
      text.value = text.value ? text.value + "\n\n" + b.dataset.text : b.dataset.text;
      text.focus();
    });
  }
  for (const i of document.querySelectorAll(".copy")) i.addEventListener("focus", () => i.select());
  document.addEventListener("click", (e) => {
    for (const d of document.querySelectorAll(".me[open], .keys[open]")) if (!d.contains(e.target)) d.open = false;
  });
  // What was typed once is not sent twice.
  document.addEventListener("submit", (e) => {
    const form = e.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) e.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 8000);
  });
})();
