// What the pages do better with a script; each works without.
"use strict";

// Search products while typing: the list holds the first ones only.
const product = document.querySelector("[data-search]");
if (product) {
  const list = document.getElementById(product.getAttribute("list"));
  let waiting = 0;
  const search = async () => {
    const query = new URLSearchParams({ q: product.value.trim(), size: "30" });
    const answer = await fetch(`${product.dataset.search}?${query}`);
    if (!answer.ok) return;
    const { products } = await answer.json();
    list.replaceChildren(
      ...products.map((found) => {
        const option = document.createElement("option");
        option.value = found.name ? `${found.item_nbr} ${found.name}` : String(found.item_nbr);
        option.textContent = `${found.name ?? ""} ${found.family}, class ${found.class}`.trim();
        return option;
      }),
    );
  };
  product.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => search().catch(() => {}), 120);
  });
  product.addEventListener("focus", () => product.select());
}

// Show a plot that is wider than the screen from its end: there lies the forecast.
for (const figure of document.querySelectorAll(".answer figure")) {
  figure.scrollLeft = figure.scrollWidth;
}

// Refresh the events as often as chosen; the choice outlives the page.
const refresh = document.querySelector("[data-refresh]");
if (refresh) {
  let waiting = 0;
  refresh.disabled = false;
  refresh.value = sessionStorage.getItem("refresh") ?? "0";
  const plan = () => {
    clearTimeout(waiting);
    const seconds = Number(refresh.value);
    const reading = () => document.querySelector("details[open]") !== null;
    const again = () => (reading() ? plan() : location.reload());
    if (seconds) waiting = setTimeout(again, 1000 * seconds);
  };
  refresh.addEventListener("change", () => {
    sessionStorage.setItem("refresh", refresh.value);
    plan();
  });
  plan();
}
