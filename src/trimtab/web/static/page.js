// Looks every two seconds whether the ledger has grown, and then shows the page anew in its place.
// A page about a run that still runs is looked at anew each time: what it logs is not in the ledger yet.
(() => {
  "use strict";
  const every = 2000;
  const light = document.getElementById("light");
  let shown = document.documentElement.dataset.chain;

  // MLflow's client prints addresses of its own page, all of them fragments of the first one: they lead to ours.
  const lead = () => {
    if (location.pathname !== "/") return;
    const [, experiment, run] = /^#\/experiments\/([\w-]+)(?:\/runs\/([\w-]+))?/.exec(location.hash) ?? [];
    if (run) location.replace(`/runs/${run}`);
    else if (experiment) location.replace(`/runs?experiment=${experiment}`);
    else if (location.hash.startsWith("#/")) history.replaceState(null, "", "/");
  };
  lead();
  addEventListener("hashchange", lead);

  const say = (state, words) => {
    light.dataset.state = state;
    light.textContent = words;
  };

  // What a person has typed, chosen, opened or scrolled to stays as it is.
  const fields = (main) => [...main.querySelectorAll("input:not([type=hidden]), select")];
  const key = (field) => `${field.name}=${field.type === "checkbox" ? field.value : ""}`;

  const keep = (main) => {
    const said = new Map(fields(main).map((each) => [key(each), [each.value, each.checked]]));
    const opened = [...main.querySelectorAll("details")].map((each) => each.open);
    const scrolled = [...main.querySelectorAll(".scroll, .experiments")].map((each) => each.scrollLeft);
    const active = main.contains(document.activeElement) ? document.activeElement : null;
    const focused = active && active.name ? key(active) : null;
    const link = active && active.href ? active.getAttribute("href") : null;
    const caret = focused && active.type === "text" ? [active.selectionStart, active.selectionEnd] : null;
    return (fresh) => {
      for (const each of fields(fresh)) {
        if (!said.has(key(each))) continue;
        const [value, checked] = said.get(key(each));
        if (each.type === "checkbox") each.checked = checked;
        else each.value = value;
        if (key(each) === focused) {
          each.focus({ preventScroll: true });
          if (caret) each.setSelectionRange(...caret);
        }
      }
      if (link) [...fresh.querySelectorAll("a")].find((each) => each.getAttribute("href") === link)?.focus({ preventScroll: true });
      fresh.querySelectorAll("details").forEach((each, place) => { each.open = opened[place] ?? each.open; });
      fresh.querySelectorAll(".scroll, .experiments").forEach((each, place) => { each.scrollLeft = scrolled[place] ?? 0; });
    };
  };

  const renew = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = document.querySelector("main");
    const fresh = parsed.querySelector("main");
    const restore = keep(main);
    main.replaceWith(fresh);
    restore(fresh);
    document.querySelector("#head").replaceWith(parsed.querySelector("#head"));
    shown = parsed.documentElement.dataset.chain;
    document.dispatchEvent(new Event("renewed"));
  };

  const look = async () => {
    if (!document.hidden) {
      try {
        const head = await (await fetch("/api/v1/head")).json();
        if (head.chain !== shown || document.querySelector("[data-running]")) await renew();
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
