/* Choosing a slice: the bar repeats it and the address keeps it, so that a reload does. Without this file the page
   works the same, only the bar says so after the next step. Written for old browsers. */
(function () {
  "use strict";

  function repeat(radio) {
    var when = document.getElementById("chosen-when");
    var fee = document.getElementById("chosen-fee");
    if (!when || !fee) return;
    var time = document.createElement("b");
    time.textContent = radio.getAttribute("data-time");
    when.textContent = radio.getAttribute("data-when") + " ";
    when.appendChild(time);
    fee.textContent = radio.getAttribute("data-fee");
    var said = document.getElementById("said");
    if (said) said.textContent = "";
  }

  function keep(radio) {
    if (!window.history || !window.history.replaceState || !window.URL) return;
    var address = new URL(window.location.href);
    address.searchParams.set("slot", radio.value);
    address.searchParams.delete("lost");
    window.history.replaceState(window.history.state, "", address.toString());
  }

  document.addEventListener("change", function (event) {
    if (event.target.name !== "slot") return;
    repeat(event.target);
    keep(event.target);
  });

  /* the browser may restore a choice by itself (back, reload) */
  window.addEventListener("pageshow", function () {
    var radio = document.querySelector("input[name=slot]:checked");
    if (radio) repeat(radio);
  });

  /* nobody looks: no refresh */
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (document.hidden) event.preventDefault();
  });

  /* a refresh that failed leaves the list as it is; the next one cures it */
  document.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.xhr.status >= 400) event.detail.shouldSwap = false;
  });

  /* the chosen day in view */
  var chosen = document.querySelector(".day--chosen");
  if (chosen && chosen.parentNode.scrollWidth > chosen.parentNode.clientWidth) {
    chosen.parentNode.scrollLeft = chosen.offsetLeft - chosen.parentNode.offsetLeft - 40;
  }
})();
