// The list of runs: says how many are chosen, and offers the comparison only where it can be made.
(() => {
  "use strict";
  const [fewest, most] = [2, 10];

  const tell = () => {
    const form = document.querySelector("form.pick");
    if (!form) return;
    const chosen = form.querySelectorAll("input[name=run]:checked").length;
    form.querySelector("button.compare").disabled = chosen < fewest || chosen > most;
    form.querySelector(".chosen").textContent =
      chosen === 0 ? `choose ${fewest} to ${most}` : chosen > most ? `${chosen} chosen: ${most} at most` : `${chosen} chosen`;
  };

  document.addEventListener("change", tell);
  document.addEventListener("renewed", tell);
  tell();
})();
