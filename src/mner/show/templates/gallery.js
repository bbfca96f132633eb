"use strict";
(() => {
  const ROW = 84, AROUND = 4;
  const el = (id) => document.getElementById(id);
  const posts = JSON.parse(el("index").textContent);
  const list = el("list"), rows = el("rows"), filters = el("filters"), find = el("find");
  const chosen = ["label", "did", "outcome"].map(el);
  let fitting = posts.map((_, number) => number);  // the numbers of the posts that fit the filters
  let at = 0, entity = -1, waiting = 0;

  const read = (number) => JSON.parse(el("p" + number).textContent);

  // Draw what is one post's: HTML that was escaped when the page was written, and its pictures.
  const draw = (element, html, pictures) => {
    element.innerHTML = html;
    element.querySelectorAll("img").forEach((image, number) => {
      if (pictures[number]) image.src = pictures[number];
    });
  };

  const drawRows = () => {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - AROUND);
    const last = Math.min(fitting.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + AROUND);
    const there = new Map([...rows.children].map((row) => [row.id, row])), drawn = [];
    for (let place = first; place < last; place++) {
      const number = fitting[place], id = "o" + number;
      let row = there.get(id);
      if (!row) {
        row = document.createElement("div");
        row.id = id;
        row.setAttribute("role", "option");
        const post = read(number);
        draw(row, post.row, post.pictures);
      }
      drawn.push(row);
      row.dataset.place = place;
      row.style.transform = `translateY(${place * ROW}px)`;
      row.setAttribute("aria-posinset", place + 1);
      row.setAttribute("aria-setsize", fitting.length);
      row.setAttribute("aria-selected", place === at);
    }
    if (drawn.length !== rows.childElementCount || drawn.some((row, n) => row !== rows.children[n])) {
      rows.replaceChildren(...drawn);
    }
    if (fitting.length) list.setAttribute("aria-activedescendant", "o" + fitting[at]);
    else list.removeAttribute("aria-activedescendant");
  };

  const drawPost = () => {
    const none = !fitting.length;
    el("before").disabled = none || at === 0;
    el("after").disabled = none || at === fitting.length - 1;
    el("at").textContent = none ? "" : `${at + 1} of ${fitting.length}`;
    if (none) {
      el("post").innerHTML = '<p class="none">No post fits these filters. <button type="button">Clear them</button></p>';
      el("post").querySelector("button").addEventListener("click", () => filters.reset());
      return;
    }
    const post = read(fitting[at]);
    draw(el("post"), post.post, post.pictures);
    el("shown").scrollTop = 0;
    el("said").textContent = `Post ${at + 1} of ${fitting.length}: ${posts[fitting[at]].key}`;
    clearTimeout(waiting);
    const key = "#" + encodeURIComponent(posts[fitting[at]].key);
    waiting = setTimeout(() => { if (location.hash !== key) history.replaceState(null, "", key); }, 150);
  };

  const reveal = () => {
    const top = at * ROW, bottom = top + ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  };

  const go = (place) => {
    at = Math.max(0, Math.min(place, fitting.length - 1));
    entity = -1;
    drawPost();
    reveal();
    drawRows();
  };

  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = chosen.map((select) => select ? select.value : "");
    const any = wanted.every((value) => value === "");
    const fits = (facets) => facets.every((facet, kind) =>
      wanted[kind] === "" || (wanted[kind] === "wrong" ? facet > 0 : facet === Number(wanted[kind])));
    const before = fitting[at];
    fitting = [];
    posts.forEach((post, number) => {
      if (words.every((word) => post.find.includes(word)) && (any || post.entities.some(fits))) fitting.push(number);
    });
    rows.style.height = fitting.length * ROW + "px";
    el("count").textContent = fitting.length === posts.length
      ? `${posts.length.toLocaleString("en")} posts`
      : `${fitting.length.toLocaleString("en")} of ${posts.length.toLocaleString("en")} posts`;
    go(Math.max(0, fitting.indexOf(before)));
  };

  // To the next entity of the post, or of the posts after it; backwards likewise.
  const step = (by) => {
    const count = () => el("post").querySelectorAll("tr[data-row]").length;
    let next = entity + by;
    while (next < 0 || next >= count()) {
      if (by > 0 ? at >= fitting.length - 1 : at <= 0) return;
      go(at + by);
      next = by > 0 ? 0 : count() - 1;
    }
    entity = next;
    for (const part of el("post").querySelectorAll("[data-row]")) {
      part.classList.toggle("current", Number(part.dataset.row) === entity);
    }
    const row = el("post").querySelectorAll("tr[data-row]")[entity];
    row.scrollIntoView({ block: "nearest" });
    el("said").textContent = row.textContent.replace(/\s+/g, " ");
  };

  const open = (hash) => {
    let key = "";
    try { key = decodeURIComponent(hash.slice(1)); } catch { /* an address that was cut */ }
    const number = posts.findIndex((post) => post.key === key);
    if (number < 0 || number === fitting[at]) return;
    if (!fitting.includes(number)) filters.reset();
    go(fitting.indexOf(number));
  };

  const keys = {
    ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), ArrowRight: () => step(1), ArrowLeft: () => step(-1),
    Home: () => go(0), End: () => go(fitting.length - 1), "/": () => find.focus(), Escape: () => filters.reset(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(keys, event.key)) return;
    if (event.target.matches("input, select")) {
      const leaves = event.key === "Escape" || (event.target === find && event.key === "ArrowDown");
      if (leaves) { event.preventDefault(); list.focus(); }
      return;
    }
    event.preventDefault();
    if (fitting.length || event.key === "Escape" || event.key === "/") keys[event.key]();
  });
  list.addEventListener("scroll", drawRows);
  rows.addEventListener("click", (event) => {
    const row = event.target.closest("[role=option]");
    if (!row) return;
    go(Number(row.dataset.place));
    if (getComputedStyle(document.body).overflow === "visible") el("shown").scrollIntoView();
  });
  el("before").addEventListener("click", () => go(at - 1));
  el("after").addEventListener("click", () => go(at + 1));
  filters.addEventListener("input", filter);
  filters.addEventListener("submit", (event) => { event.preventDefault(); list.focus(); });
  filters.addEventListener("reset", (event) => {
    event.preventDefault();
    find.value = "";
    for (const select of chosen) if (select) select.value = "";
    filter();
  });
  addEventListener("resize", drawRows);
  addEventListener("hashchange", (event) => open(new URL(event.newURL).hash));
  const wanted = location.hash;
  filter();
  open(wanted);
  requestAnimationFrame(() => setTimeout(() => performance.mark("ready")));
})();
