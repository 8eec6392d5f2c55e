// Keeps the live page live. The server renders every piece; this only puts them in place.
"use strict";
(() => {
  const list = document.getElementById("changes");
  if (!list) return;
  const figures = document.getElementById("figures");
  const said = document.getElementById("said");
  const pause = document.getElementById("pause");
  const KEPT = 20, SHOW_MS = 250, RENEW_MS = 5000;
  let waiting = [], paused = false;

  const pieces = (html) => document.createRange().createContextualFragment(html);

  const show = () => {
    if (paused || !waiting.length) return;
    for (const html of waiting) list.prepend(pieces(html));
    waiting = [];
    while (list.children.length > KEPT) list.lastElementChild.remove();
  };

  const renew = async () => {
    if (!paused) {
      try {
        const answer = await fetch(figures.dataset.renew, { redirect: "error" });
        if (!answer.ok) throw new Error(answer.statusText);
        figures.replaceChildren(pieces(await answer.text()));
        if (stream.readyState === EventSource.OPEN) said.textContent = "";
      } catch {
        said.textContent = "The figures cannot be read now. Trying again…";
      }
    }
    setTimeout(renew, RENEW_MS);
  };

  const stream = new EventSource(list.dataset.stream);
  stream.addEventListener("fragment", (event) => {
    waiting.push(event.data);
    waiting = waiting.slice(-KEPT);
  });
  stream.addEventListener("end", (event) => { said.textContent = JSON.parse(event.data).error; });
  stream.onopen = () => { said.textContent = ""; };
  stream.onerror = () => { said.textContent = "The changes cannot be read now. Trying again…"; };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    show();
  });
  setInterval(show, SHOW_MS);
  setTimeout(renew, RENEW_MS);
})();
