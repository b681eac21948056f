/* The machine in the hall: keys on the screen, and an end to every visit.
 *
 *   data-type="7"   puts a character into the box; data-erase takes the last away, data-clear all
 *   data-print      prints the slip
 *   #stay           the form that asks for more time; #left counts down, #still asks "are you still there?"
 *
 *   body data-idle  seconds without a touch after which it goes back; 60 if nothing is said
 *
 * Without this file a keyboard or scanner types into the box, and the page goes back by itself.
 */
(() => {
  "use strict";
  const IDLE = Number(document.body.dataset.idle ?? 60); // seconds, as the server's; longer while a phone pays
  const ASK_AT = 20;
  const TELL_EVERY = 20; // seconds between two words to the server that somebody is here

  const box = document.getElementById("code");
  const stay = document.getElementById("stay");
  const left = document.getElementById("left");
  const still = document.getElementById("still");
  for (const each of document.querySelectorAll(".keypad, .letters, [data-clear], [data-print], #stay")) each.hidden = false;

  /* ---- keys on the screen ---- */
  const write = (text) => {
    box.value = text.slice(0, box.maxLength);
    box.focus();
  };
  document.addEventListener("click", (event) => {
    const key = event.target.closest("button");
    if (!key) return;
    if (key.dataset.type) write(box.value + key.dataset.type);
    else if (key.matches("[data-erase]")) write(box.value.slice(0, -1));
    else if (key.matches("[data-clear]")) write("");
    else if (key.matches("[data-print]")) window.print();
  });

  /* ---- pressed twice is sent once ---- */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form === stay) {
      event.preventDefault();
      touched(true);
    } else if (form.dataset.sent) {
      event.preventDefault();
    } else {
      form.dataset.sent = "yes";
    }
  });

  /* ---- the visit ends by itself ---- */
  let until = performance.now() + IDLE * 1000;
  let told = performance.now();
  const tell = () => {
    told = performance.now();
    fetch(stay.action, { method: "POST", body: new FormData(stay), redirect: "manual" })
      .then((answer) => answer.status === 204 || leave())
      .catch(() => {});
  };
  const leave = () => {
    box ? (box.value = "") : null;
    window.location.replace(document.body.dataset.start);
  };
  const touched = (asked) => {
    until = performance.now() + IDLE * 1000;
    if (stay && (asked || performance.now() - told > TELL_EVERY * 1000)) tell();
    tick();
  };
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1000));
    if (stay) {
      if (left.textContent !== String(seconds)) left.textContent = String(seconds);
      still.hidden = seconds > ASK_AT;
    }
    if (seconds === 0 && (stay || box.value || document.querySelector(".notice"))) leave();
    else if (seconds === 0) until = performance.now() + IDLE * 1000;
  };
  for (const sign of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    document.addEventListener(sign, () => touched(false), { passive: true });
  }
  setInterval(tick, 1000);
  tick();

  /* the back button never shows the person before */
  window.addEventListener("pageshow", (event) => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    if (event.persisted) window.location.reload();
  });
})();
