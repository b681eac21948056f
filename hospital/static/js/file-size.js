/* A file that is too big is said at once, before it is sent: nothing typed is lost on the way.
 *
 *   data-most="10485760"     bytes; data-too-long: the sentence
 */
(() => {
  "use strict";
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.dataset.most) return;
    const most = Number(box.dataset.most);
    box.setCustomValidity([...box.files].some((file) => file.size > most) ? box.dataset.tooLong : "");
    box.reportValidity();
  });
})();
