// Looks every two seconds whether the ledger has grown, and then shows the page anew in its place.
(() => {
  "use strict";
  const every = 2000;
  const light = document.getElementById("light");
  let shown = document.documentElement.dataset.chain;

  const say = (state, words) => {
    light.dataset.state = state;
    light.textContent = words;
  };

  const renew = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const open = [...document.querySelectorAll("details")].map((each) => each.open);
    document.querySelector("main").replaceWith(fresh.querySelector("main"));
    document.querySelector("#head").replaceWith(fresh.querySelector("#head"));
    document.querySelectorAll("details").forEach((each, place) => { each.open = open[place] ?? each.open; });
    shown = fresh.documentElement.dataset.chain;
  };

  const look = async () => {
    if (!document.hidden) {
      try {
        const head = await (await fetch("/api/v1/head")).json();
        if (head.chain !== shown) await renew();
        say("live", "live");
      } catch {
        say("away", "server away");
      }
    }
    setTimeout(look, every);
  };

  say("live", "live");
  setTimeout(look, every);
})();
