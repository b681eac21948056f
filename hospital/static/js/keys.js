/* Keys for the desk: every key presses a real button or link, so mouse, touch and tests use the same element.
 *
 *   data-key="KeyN"            event.code; "Control+Enter" with the modifier; several separated by a blank; "F8" and
 *                              modifiers press while a box is typed in, too
 *   data-grid                  arrows move the focus between what can be pressed inside
 *   data-until="1732200000000" a clock that runs down to this server time (ms), 2:59 or 26:02:59; data-since runs up,
 *                              in seconds or with data-minutes in the same shape
 *   data-fresh="5"             asks htmx for news (event "freshen") every n seconds while the page is seen
 *   data-quiet                 what it asks for by itself makes no key wait
 *   data-enter="#results a"    Enter in this box presses the first match; arrow down moves there
 *   data-print                 prints the page
 *
 * A posted form is sent once however often it is clicked.
 *
 * Layout-independent (event.code), silent while an input method composes, and deaf while the last
 * key's answer is still on its way: a bounced or held key never acts twice.
 */
(() => {
  "use strict";
  const SOON_MS = 30_000;
  let leaving = false;
  let pending = 0;

  /* ---- the server's clock: the page says when it was made; the client's own clock is not believed ---- */
  let ahead = 0; // server time minus performance.now(), ms
  const setClock = (root) => {
    const stamp = root.querySelector?.("[data-now]") ?? (root.matches?.("[data-now]") ? root : null);
    if (stamp) ahead = Number(stamp.dataset.now) - performance.now();
  };
  const serverNow = () => performance.now() + ahead;
  const minutes = (ms) => {
    const seconds = Math.max(0, Math.ceil(ms / 1000));
    const two = (number) => String(number).padStart(2, "0");
    const whole = Math.floor(seconds / 60);
    const long = whole >= 60 ? `${Math.floor(whole / 60)}:${two(whole % 60)}` : String(whole);
    return `${long}:${two(seconds % 60)}`;
  };

  const tick = () => {
    let lapsed = false;
    for (const clock of document.querySelectorAll("[data-until]")) {
      const left = Number(clock.dataset.until) - serverNow();
      clock.textContent = minutes(left);
      clock.classList.toggle("item__clock--soon", left < SOON_MS);
      if (left <= 0 && !clock.dataset.lapsed) clock.dataset.lapsed = lapsed = true;
    }
    for (const clock of document.querySelectorAll("[data-since]")) {
      const ran = Math.max(0, Math.floor((serverNow() - Number(clock.dataset.since)) / 1000));
      clock.textContent = "minutes" in clock.dataset ? minutes(ran * 1000) : String(ran);
    }
    if (lapsed) freshen();
  };

  /* ---- freshness: only while somebody looks, and never across a key that is under way ---- */
  const freshen = () => {
    if (document.hidden || pending || leaving || !window.htmx) return;
    for (const element of document.querySelectorAll("[data-fresh]")) window.htmx.trigger(element, "freshen");
  };
  let since = 0;
  const second = () => {
    tick();
    const every = Number(document.querySelector("[data-fresh]")?.dataset.fresh ?? 0);
    if (every && ++since >= every) {
      since = 0;
      freshen();
    }
  };

  /* ---- pressing ---- */
  const LIVE = "a[href], button:not(:disabled), input:not(:disabled), summary";
  const shown = (element) => element.getClientRects().length > 0;
  const typing = (element) =>
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLSelectElement ||
    element?.isContentEditable ||
    (element instanceof HTMLInputElement && !["radio", "checkbox", "button", "submit"].includes(element.type));

  const nameOf = (event) => {
    const code = event.code.replace("NumpadAdd", "Equal").replace("NumpadEnter", "Enter").replace("Numpad", "Digit");
    return (event.ctrlKey || event.metaKey ? "Control+" : "") + (event.altKey ? "Alt+" : "") + code;
  };
  const press = (element) => {
    if (typing(element)) {
      element.focus();
      element.select?.();
    } else {
      element.click();
    }
  };

  const openTo = (name) => {
    for (const element of document.querySelectorAll("[data-key]")) {
      if (element.dataset.key.split(" ").includes(name) && element.matches(LIVE) && shown(element)) return element;
    }
    return null;
  };

  /* The nearest pressable in the arrow's direction, measured on the screen: rows need no markup. */
  const neighbour = (grid, from, code) => {
    const here = from.getBoundingClientRect();
    const across = code === "ArrowLeft" || code === "ArrowRight";
    const forward = code === "ArrowRight" || code === "ArrowDown";
    let best = null;
    let least = Infinity;
    for (const element of grid.querySelectorAll(LIVE)) {
      if (element === from || !shown(element)) continue;
      const there = element.getBoundingClientRect();
      const dx = there.left + there.width / 2 - (here.left + here.width / 2);
      const dy = there.top + there.height / 2 - (here.top + here.height / 2);
      const along = (across ? dx : dy) * (forward ? 1 : -1);
      if (along < 2) continue;
      const cost = along + 4 * Math.abs(across ? dy : dx);
      if (cost < least) [best, least] = [element, cost];
    }
    return best;
  };

  const move = (event) => {
    const from = document.activeElement;
    const grid = from?.closest("[data-grid]");
    if (!grid) {
      const entry = document.querySelector("[data-grid] [data-entry], [data-grid] a[href], [data-grid] button:not(:disabled)");
      if (!entry || (from && from !== document.body)) return;
      event.preventDefault();
      entry.focus();
      return;
    }
    let next = neighbour(grid, from, event.code);
    if (!next && (event.code === "ArrowDown" || event.code === "ArrowUp")) next = nextGrid(grid, event.code);
    if (next) {
      event.preventDefault();
      next.focus();
    }
  };
  const nextGrid = (grid, code) => {
    const grids = [...document.querySelectorAll("[data-grid]")].filter((one) => one.querySelector(LIVE) && shown(one));
    const other = grids[grids.indexOf(grid) + (code === "ArrowDown" ? 1 : -1)];
    return other?.querySelector("[data-entry]") ?? other?.querySelector(LIVE) ?? null;
  };

  const inBox = (event) => {
    const box = event.target;
    if (event.code === "Escape") {
      box.blur();
      return;
    }
    const list = box.dataset.enter;
    if (list && event.code.endsWith("Enter") && (pending || event.repeat)) event.preventDefault(); // deaf, as for a key
    if (!list || event.defaultPrevented || !["Enter", "NumpadEnter", "ArrowDown"].includes(event.code)) return;
    const first = document.querySelector(list);
    if (!first || box.value.trim() !== (document.querySelector("[data-asked]")?.dataset.asked ?? "")) return;
    event.preventDefault();
    if (event.code === "ArrowDown") first.focus();
    else first.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    const name = nameOf(event);
    const held = /^(Control\+|Alt\+|F\d+$)/.test(name); // pressed as a key even where somebody types
    if (typing(event.target) && !held) {
      inBox(event);
      return;
    }
    if (event.code.startsWith("Arrow") && !held) {
      move(event);
      return;
    }
    const element = openTo(name);
    const presses = element || ((event.code === "Enter" || event.code === "Space") && event.target.closest?.(LIVE));
    if (!presses) return;
    if (pending || leaving || event.repeat) {
      event.preventDefault();
      return;
    }
    if (!element) return; // Enter or blank on what has the focus: the browser presses it
    event.preventDefault();
    press(element);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
    /* a link that htmx has not taken yet, the page being still on its way, is followed by the browser itself */
    if (!event.defaultPrevented && event.target.closest("a[hx-get]") && !(event.ctrlKey || event.metaKey || event.shiftKey)) leave();
  });

  /* ---- one answer at a time ---- */
  const leave = () => {
    leaving = true;
    document.body.classList.add("busy");
  };
  const busy = (change) => {
    pending = Math.max(0, pending + change);
    document.body.classList.toggle("busy", pending > 0);
  };
  const quiet = (event) => event.detail.elt?.matches?.("[data-fresh], [data-quiet], [data-enter]");
  /* what a quick hand types into a search box while the answer is on its way, which brings a new box, goes on in it */
  const typedSince = { box: null, value: "" };
  const boxHere = () => document.activeElement?.closest?.("[data-enter]");
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (quiet(event)) return;
    typedSince.box = boxHere();
    typedSince.value = typedSince.box?.value ?? "";
    busy(1);
  });
  document.addEventListener("htmx:afterSwap", () => {
    const { box, value } = typedSince;
    if (!box || box.isConnected) return;
    typedSince.box = null;
    const now = document.getElementById(box.id);
    const since = box.value.startsWith(value) ? box.value.slice(value.length) : box.value;
    if (!now || !since) return;
    now.focus();
    now.value += since;
  });
  document.addEventListener("htmx:afterRequest", (event) => quiet(event) || busy(-1));
  /* a search box came with an answer, and a quick hand typed before htmx took it in */
  document.addEventListener("htmx:afterSettle", (event) => {
    const box = document.activeElement;
    if (!box?.matches("[hx-trigger~=typed]") || !event.target.contains?.(box) || box.value === box.defaultValue) return;
    window.htmx.trigger(box, "typed");
  });
  /* a page that refreshes by itself is no sign of a person: it must not keep an idle session alive */
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt?.matches?.("[data-fresh]")) event.detail.headers["X-Passive"] = "1";
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || [...form.attributes, ...(event.submitter?.attributes ?? [])].some((a) => a.name.startsWith("hx-"))) return;
    if (form.method === "post" && form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    leave();
  });
  window.addEventListener("pageshow", (event) => {
    leaving = false;
    document.body.classList.remove("busy");
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    if (event.persisted) window.location.reload(); // the back button shows what is true now
  });

  /* ---- what could not be done is said on the page, and the page stays ---- */
  const notices = () => document.getElementById("notices");
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    const came = xhr.responseURL ? new URL(xhr.responseURL).pathname : "";
    if (came.startsWith("/accounts/") && !window.location.pathname.startsWith("/accounts/")) {
      event.detail.shouldSwap = false; // signed out meanwhile: the whole page goes to sign in, and comes back here
      const back = encodeURIComponent(window.location.pathname + window.location.search);
      window.location.assign(`${came}?next=${back}`);
      return;
    }
    if (xhr.status < 400 || xhr.getResponseHeader("HX-Retarget") || !notices()) return;
    event.detail.shouldSwap = !quiet(event) || xhr.status === 403;
    event.detail.target = notices();
    event.detail.swapOverride = "innerHTML";
    if (xhr.responseText.includes("sheet__card")) event.detail.selectOverride = ".sheet__card";
  });
  document.addEventListener("htmx:sendError", () => {
    const place = notices();
    if (!place || leaving) return; // what was under way is cut off by the page that comes
    const line = document.createElement("p");
    line.className = "notice notice--bad";
    line.setAttribute("role", "alert");
    line.textContent = place.dataset.offline;
    place.replaceChildren(line);
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status < 400 && notices() && !quiet(event)) notices().replaceChildren();
  });

  document.addEventListener("htmx:load", (event) => {
    setClock(event.detail.elt);
    tick();
  });
  setClock(document);
  tick();
  setInterval(second, 1000);
})();
